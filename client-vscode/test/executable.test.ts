import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { findExecutable } from "../src/executable.ts";

const root = mkdtempSync(join(tmpdir(), "bonafix-"));
after(() => rmSync(root, { recursive: true }));

/** A file in a folder of its own. */
function place(folder: string, name: string, mode: number): string {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, name), "");
  chmodSync(join(root, folder, name), mode);
  return join(root, folder, name);
}

const tool = place("bin", "tool", 0o755);
place("plain", "tool", 0o644);
mkdirSync(join(root, "folder", "tool"), { recursive: true });

function path(...folders: string[]) {
  return { PATH: folders.map((folder) => join(root, folder)).join(delimiter) };
}

test("what is first on the path, is a file and can be executed is found", () => {
  assert.equal(findExecutable("tool", path("none", "plain", "folder", "bin")), tool);
});

test("a file that cannot be executed, or a folder, is not a command", () => {
  assert.equal(findExecutable("tool", path("plain", "folder")), undefined);
});

test("a command with a folder in its name is not looked for on the path", () => {
  assert.equal(findExecutable(tool, {}), tool);
  assert.equal(findExecutable("bin/tool", { PATH: root }), undefined);
});

test("without a path nothing is found", () => {
  assert.equal(findExecutable("tool", {}), undefined);
});
