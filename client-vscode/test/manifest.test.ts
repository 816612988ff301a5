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

test("the settings are those sent to the server, and the two that stay", () => {
  const sent = SERVER_SETTINGS.map((key) => `bonafix.${key}`);
  const expected = [...sent, "bonafix.path", "bonafix.trace.server"];
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

test("the changelog begins with the version of the manifest", () => {
  const latest = /^## \[?([\w.-]+)/m.exec(read("CHANGELOG.md"))?.[1];
  assert.equal(latest, manifest.version);
});
