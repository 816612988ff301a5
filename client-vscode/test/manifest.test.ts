import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OWN_COMMANDS, SERVER_COMMANDS } from "../src/commands.ts";
import { VERSIONS } from "../src/serverPython.ts";
import { SERVER_NAMES, SERVER_SETTINGS } from "../src/settings.ts";

interface Property {
  scope: string;
  default: unknown;
  description?: string;
  markdownDescription?: string;
}

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
}

const manifest = JSON.parse(read("package.json"));
const contributed: string[] = manifest.contributes.commands.map(
  ({ command }: { command: string }) => command,
);
const properties: Record<string, Property> = Object.assign(
  {},
  ...manifest.contributes.configuration.map(
    (group: { properties: object }) => group.properties,
  ),
);

test("the palette has exactly the commands that the extension registers", () => {
  assert.deepEqual([...contributed].sort(), [...OWN_COMMANDS].sort());
});

test("no command of the server's is registered by the extension too", () => {
  const own = new Set<string>([...OWN_COMMANDS, ...contributed]);
  assert.deepEqual(
    SERVER_COMMANDS.filter((command) => own.has(command)),
    [],
  );
});

test("the settings are those sent to the server, and the five that stay", () => {
  const sent = SERVER_SETTINGS.map((key) => `bonafix.${key}`);
  const own = ["path", "serverInterpreter", "progress", "testingView", "trace.server"];
  const expected = [...sent, ...own.map((key) => `bonafix.${key}`)];
  assert.deepEqual(Object.keys(properties).sort(), expected.sort());
});

/** Of the command's runs alone, or answered by the editor itself. */
const NOT_HERE = [
  ...["batch_candidates", "batch_timeout", "failure_cost", "failure_tokens"],
  ...["accept", "trust"],
];

test("whatever the server can be told can be set here", () => {
  const source = read("../server/bonafix/config.py");
  const body = source.slice(source.indexOf("class Config:"), source.indexOf("\ndef "));
  const fields = [...body.matchAll(/^ {4}(\w+): /gm)].map(([, name]) => name);
  assert.ok(fields.length > 20);
  const known = [...Object.values(SERVER_NAMES), ...NOT_HERE, "log_level"];
  assert.deepEqual(
    fields.filter((name) => !known.includes(name as never)),
    [],
  );
});

test("every setting has a default and a description", () => {
  for (const [name, property] of Object.entries(properties)) {
    assert.notEqual(property.default, undefined, name);
    assert.ok(property.description ?? property.markdownDescription, name);
  }
});

/** What decides where code, keys and money go, and what a fix must get through. */
const MACHINE = [
  ...[
    "path",
    "serverInterpreter",
    "maxCost",
    "maxTokens",
    "candidates",
    "fan",
    "review",
  ],
  ...["service", "serviceRegion", "serviceProject", "baseUrl"],
  ...["newFiles", "allow", "environment", "confine", "memory", "cache"],
];

test("a workspace can neither redirect nor spend, nor configure its judge", () => {
  const scopes = Object.entries(properties)
    .filter(([, { scope }]) => scope === "machine")
    .map(([name]) => name);
  assert.deepEqual(scopes.sort(), MACHINE.map((key) => `bonafix.${key}`).sort());
});

test("what a project may say of itself can be said for one folder", () => {
  const source = read("../server/bonafix/config.py");
  const list = /PROJECT_KEYS = frozenset\(\s*\{([^}]*)\}/.exec(source)?.[1] ?? "";
  const keys = [...list.matchAll(/"(\w+)"/g)].map(([, key]) => key);
  assert.ok(keys.length > 5);
  for (const [setting, name] of Object.entries(SERVER_NAMES)) {
    if (keys.includes(name)) {
      assert.equal(properties[`bonafix.${setting}`]?.scope, "resource", setting);
    }
  }
});

test("every setting is in the README", () => {
  const readme = read("README.md");
  const missing = Object.keys(properties).filter(
    (name) => !readme.includes(`\`${name}\``),
  );
  assert.deepEqual(missing, []);
});

test("nothing happens before Python is opened, without trust, or without files", () => {
  assert.deepEqual(manifest.activationEvents, ["onLanguage:python"]);
  assert.equal(manifest.capabilities.untrustedWorkspaces.supported, false);
  assert.equal(manifest.capabilities.virtualWorkspaces.supported, false);
  assert.equal(manifest.extensionDependencies, undefined);
});

test("the lock file does not say from where its packages came", () => {
  const lock = JSON.parse(read("package-lock.json"));
  const packages: Array<[string, { resolved?: string }]> = Object.entries(
    lock.packages,
  );
  assert.ok(packages.length > 1);
  assert.deepEqual(
    packages.filter(([, entry]) => entry.resolved !== undefined),
    [],
  );
});

test("menus and the walkthrough name commands and pages that there are", () => {
  const menus: Array<{ command: string }> = Object.values(
    manifest.contributes.menus,
  ).flat() as Array<{ command: string }>;
  const known = new Set<string>(OWN_COMMANDS);
  assert.deepEqual(
    menus.filter(({ command }) => !known.has(command)),
    [],
  );
  for (const step of manifest.contributes.walkthroughs[0].steps) {
    assert.ok(read(step.media.markdown).length > 0, step.id);
  }
});

test("the Pythons that may run the server are those that it is bundled for", () => {
  const bundled =
    /PYTHONS = \(([^)]*)\)/.exec(read("scripts/wheelhouse.py"))?.[1] ?? "";
  const versions = [...bundled.matchAll(/"([\d.]+)"/g)].map(([, version]) => version);
  assert.deepEqual([...VERSIONS].reverse(), versions);
  const text = properties["bonafix.serverInterpreter"]?.markdownDescription ?? "";
  assert.ok(text.includes(`(${versions[0]} to ${versions.at(-1)})`), text);
});

test("no setting takes a key", () => {
  const names = Object.keys(properties).filter((name) =>
    /key|token(?!s)|secret/i.test(name),
  );
  assert.deepEqual(names, []);
});

test("the changelog begins with the version of the manifest", () => {
  const latest = /^## \[?([\w.-]+)/m.exec(read("CHANGELOG.md"))?.[1];
  assert.equal(latest, manifest.version);
});
