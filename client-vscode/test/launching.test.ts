import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Launch, type Missing, openLauncher } from "../src/launching.ts";

const root = mkdtempSync(join(tmpdir(), "bonafix-"));
after(() => rmSync(root, { recursive: true }));

/** An extension's folder with a bundle, as far as the launcher looks at it. */
const extension = join(root, "extension");
const start = join(extension, "bundled", "tool", "start.py");
mkdirSync(join(extension, "bundled", "tool"), { recursive: true });
writeFileSync(start, "");

/** A program in a folder of its own; `body` is a shell script. */
function program(folder: string, name: string, body: string): string {
  mkdirSync(join(root, folder), { recursive: true });
  const file = join(root, folder, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A program that answers as a Python does which can run the server. */
function python(folder: string, name: string, version: string): string {
  const file = join(root, folder, name);
  const told = JSON.stringify({ executable: file, version });
  return program(folder, name, `echo "$@" >> "$0.asked"; echo '${told}'`);
}

const old = (folder: string, name: string) =>
  program(folder, name, 'echo "bonafix: this Python is 3.8.18" >&2; exit 3');

const good = python("good", "python3.12", "3.12.1");
const mine = python("mine", "mypython", "3.13.0");
const ancient = old("old", "python3");

interface Setting {
  path?: unknown;
  host?: unknown;
  editor?: string[];
  folders?: string[];
  directory?: string;
}

/** What is launched by these settings, with these folders on the search path. */
function launched({
  path = [],
  host = [],
  editor = [],
  folders = [],
  directory = extension,
}: Setting): Promise<Launch | Missing> {
  const env = { PATH: [...folders.map((one) => join(root, one)), "/bin"].join(":") };
  const around = { env, home: root };
  const chosen = { path, serverInterpreter: host, editor, around };
  return openLauncher(directory, env)(chosen);
}

async function runs(setting: Setting): Promise<Launch> {
  const launch = await launched(setting);
  assert.ok(!("reason" in launch), JSON.stringify(launch));
  return launch;
}

async function misses(setting: Setting): Promise<Missing> {
  const launch = await launched(setting);
  assert.ok("reason" in launch, JSON.stringify(launch));
  return launch;
}

test("the extension's own server runs isolated, without the environment's packages", async () => {
  const launch = await runs({ folders: ["good"] });
  assert.deepEqual([launch.command, ...launch.args], [good, "-I", "-S", start, "lsp"]);
  assert.equal(launch.python?.version, "3.12.1");
});

test("another server is run as it is named, and no Python is asked", async () => {
  const launch = await runs({ path: [ancient, "-x"], folders: ["good"] });
  assert.deepEqual(launch, { command: ancient, args: ["-x", "lsp"] });
});

test("the setting comes first, then the editor's Python, then the search path", async () => {
  const editor = [python("editor", "python", "3.11.9")];
  const all = { host: [mine, "-X", "dev"], editor, folders: ["good"] };
  const { command, args } = await runs(all);
  assert.deepEqual([command, ...args.slice(0, 2)], [mine, "-X", "dev"]);
  assert.equal((await runs({ ...all, host: [] })).command, editor[0]);
  assert.equal((await runs({ folders: ["good"] })).command, good);
});

test("what is too old is passed over", async () => {
  python("later", "python", "3.11.2");
  const launch = await runs({ editor: [ancient], folders: ["old", "later"] });
  assert.equal(launch.python?.version, "3.11.2");
});

test("a Python that only uv knows of is found last", async () => {
  const kept = python("kept", "python", "3.13.4");
  program("uv", "uv", `test "$1 $2" = "python find" && echo ${kept}`);
  const launch = await runs({ editor: [ancient], folders: ["uv"] });
  assert.deepEqual([launch.command, launch.python?.why], [kept, "found by uv"]);
});

test("without any it is said what to do, and who was asked", async () => {
  const missing = await misses({ editor: [ancient], folders: [] });
  assert.match(missing.reason, /needs Python 3\.11 to 3\.14.*serverInterpreter/);
  assert.equal(missing.setting, "serverInterpreter");
  const [first] = missing.refused;
  assert.deepEqual(first?.command, [ancient]);
  assert.match(first?.reason ?? "", /this Python is 3\.8\.18/);
});

test("nothing stands in for a chosen Python that will not do", async () => {
  const missing = await misses({ host: [ancient], folders: ["good"] });
  assert.match(missing.reason, /serverInterpreter cannot run the server: .*3\.8\.18/);
});

for (const [host, complaint] of [
  ["nowhere", /no such program/],
  [program("odd", "hello", "echo hello"), /not a Python/],
] as const) {
  test(`as the server's Python, ${host.replace(root, "")} is refused`, async () => {
    const missing = await misses({ host: [host], folders: ["good"] });
    assert.match(missing.reason, complaint);
  });
}

test("a setting that makes no sense is named", async () => {
  const missing = await misses({ host: [7], folders: ["good"] });
  assert.match(missing.reason, /bonafix\.serverInterpreter must be a list/);
  assert.equal(missing.setting, "serverInterpreter");
  assert.equal((await misses({ path: [7] })).setting, "path");
});

test("a build without the server asks for the command of one", async () => {
  const missing = await misses({ directory: root, folders: ["good"] });
  assert.match(missing.reason, /comes without .* bonafix\.path/);
});
