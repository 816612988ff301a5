import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { asker, onPath, runner } from "../src/serverPython.ts";

const root = mkdtempSync(join(tmpdir(), "bonafix-"));
after(() => rmSync(root, { recursive: true }));

/** An executable shell script that keeps count of its runs. */
function program(name: string, body: string): string {
  const file = join(root, name);
  writeFileSync(file, `#!/bin/sh\necho x >> "$0.runs"\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const runs = (file: string) => readFileSync(`${file}.runs`, "utf8").trim().split("\n");
const answering = (name: string, version: string) =>
  program(name, `echo '${JSON.stringify({ executable: join(root, name), version })}'`);

test("who has answered is not asked again until the program is another", async () => {
  const file = answering("python", "3.12.1");
  const ask = asker("start.py", runner(root, {}), {});
  await ask({ command: [file], why: "one" });
  const again = await ask({ command: [file], why: "two" });
  assert.deepEqual([again.version, again.why], ["3.12.1", "two"]);
  assert.equal(runs(file).length, 1);
  answering("python", "3.13.0-and-longer");
  const fresh = await ask({ command: [file], why: "one" });
  assert.equal(fresh.version, "3.13.0-and-longer");
});

test("who has refused is asked again", async () => {
  const file = program("mending", "exit 3");
  const ask = asker("start.py", runner(root, {}), {});
  await assert.rejects(ask({ command: [file], why: "" }));
  await assert.rejects(ask({ command: [file], why: "" }));
  assert.equal(runs(file).length, 2);
});

test("who does not answer is not waited for", async () => {
  const file = program("sleepy", "exec sleep 60");
  const ask = asker("start.py", runner(root, process.env, 300), {});
  const began = performance.now();
  await assert.rejects(ask({ command: [file], why: "" }), /within 0\.3 s/);
  assert.ok(performance.now() - began < 20_000);
});

test("the newest on the search path is asked first, on Windows its launcher", () => {
  assert.deepEqual(onPath("linux")[0]?.command, ["python3.14"]);
  assert.deepEqual(onPath("linux").at(-1)?.command, ["python"]);
  assert.deepEqual(onPath("win32")[0]?.command, ["py", "-3"]);
});
