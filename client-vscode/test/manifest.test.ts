import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OWN_COMMANDS, SERVER_COMMANDS } from "../src/commands.ts";
import { SERVER_SETTINGS } from "../src/settings.ts";

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
const properties: Record<string, Property> =
  manifest.contributes.configuration.properties;

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

test("the settings are those sent to the server, and the three that stay", () => {
  const sent = SERVER_SETTINGS.map((key) => `bonafix.${key}`);
  const own = ["bonafix.path", "bonafix.testingView", "bonafix.trace.server"];
  const expected = [...sent, ...own];
  assert.deepEqual(Object.keys(properties).sort(), expected.sort());
});

test("every setting has a default and a description", () => {
  for (const [name, property] of Object.entries(properties)) {
    assert.notEqual(property.default, undefined, name);
    assert.ok(property.description ?? property.markdownDescription, name);
  }
});

test("a workspace can neither choose the server's command nor spend more", () => {
  assert.equal(properties["bonafix.path"]?.scope, "machine");
  assert.equal(properties["bonafix.maxCost"]?.scope, "machine");
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

test("no setting takes a key", () => {
  const names = Object.keys(properties).filter((name) =>
    /key|token|secret/i.test(name),
  );
  assert.deepEqual(names, []);
});

test("the changelog begins with the version of the manifest", () => {
  const latest = /^## \[?([\w.-]+)/m.exec(read("CHANGELOG.md"))?.[1];
  assert.equal(latest, manifest.version);
});
