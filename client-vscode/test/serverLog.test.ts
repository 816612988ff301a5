import assert from "node:assert/strict";
import { test } from "node:test";
import { logLevels } from "../src/serverLog.ts";

test("a line of the log has the level that it begins with", () => {
  const told = logLevels();
  assert.deepEqual(
    [
      "INFO bonafix.lsp.jobs: done",
      "WARNING bonafix.lsp.trust: no",
      "DEBUG a: b",
      "CRITICAL a: b",
    ].map(told),
    [
      { level: "info", text: "bonafix.lsp.jobs: done" },
      { level: "warn", text: "bonafix.lsp.trust: no" },
      { level: "debug", text: "a: b" },
      { level: "error", text: "a: b" },
    ],
  );
});

test("what follows a line goes with it", () => {
  const told = logLevels();
  told("WARNING bonafix.lsp.jobs: a run failed");
  assert.equal(told("Traceback (most recent call last):").level, "warn");
  assert.equal(told('  File "x.py", line 1, in f').text, '  File "x.py", line 1, in f');
  assert.equal(told("INFO bonafix: on").level, "info");
  assert.equal(told("HINT: not a level").level, "info");
});

test("before the log begins, an interpreter that could not start speaks", () => {
  const told = logLevels();
  assert.deepEqual(told("No module named bonafix"), {
    level: "error",
    text: "No module named bonafix",
  });
});
