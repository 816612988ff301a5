import assert from "node:assert/strict";
import { test } from "node:test";
import { debugReport, type Facts } from "../src/report.ts";

const facts: Facts = {
  extension: "bonafix.bonafix 0.1.0",
  editor: "An editor 1.91.0",
  platform: "linux x64",
  remote: undefined,
  folders: 1,
  pythons: ["/opt/app/bin/python"],
  state: "running",
  launch: { command: "bonafix", args: ["lsp"] },
  executable: "/usr/bin/bonafix",
  server: { name: "bonafix", version: "0.1.0" },
  settings: { trust: true, engine: "search" },
  works: new Map([["t", { title: "Fixing test_a", cancellable: true }]]),
};

test("the report tells how the server was started, found and set", () => {
  const report = debugReport(facts);
  for (const line of [
    "- Server command: bonafix lsp",
    "- Server's origin: bonafix.path",
    "- Found at: /usr/bin/bonafix",
    "- Python chosen in the editor: /opt/app/bin/python",
    "- Server: bonafix 0.1.0",
    "- Running work: Fixing test_a",
    '  "engine": "search"',
  ]) {
    assert.ok(report.split("\n").includes(line), `${line} is missing in:\n${report}`);
  }
});

test("the report of a server that is not there says why", () => {
  const launch = { reason: "there is none", setting: "path", refused: [] } as const;
  const report = debugReport({
    ...facts,
    launch,
    executable: undefined,
    pythons: [],
    server: undefined,
  });
  assert.match(report, /Server command: there is none/);
  assert.match(report, /Found at: not found/);
  assert.match(report, /Python chosen in the editor: none is known/);
  assert.match(report, /Server: not connected/);
});

test("the report of the extension's own server says which Python runs it, and why", () => {
  const python = {
    command: ["python3.13"],
    executable: "/opt/python3.13",
    version: "3.13.1",
    why: "on PATH",
  };
  const launch = { command: python.executable, args: ["start.py", "lsp"], python };
  const report = debugReport({ ...facts, launch });
  assert.match(report, /Server's origin: comes with the extension/);
  assert.match(report, /Server's Python: 3\.13\.1 at \/opt\/python3\.13 \(on PATH\)/);
});
