import assert from "node:assert/strict";
import { test } from "node:test";
import {
  after,
  detail,
  type ProgressValue,
  stageOf,
  statusView,
  type Token,
  type Works,
  withProgress,
} from "../src/status.ts";

const NONE: Works = new Map();

/** The works after these progress values, in order. */
function given(...values: Array<[Token, ProgressValue]>): Works {
  return values.reduce(
    (works, [token, value]) => withProgress(works, token, value),
    NONE,
  );
}

const begin: ProgressValue = {
  kind: "begin",
  title: "Fixing test_a",
  cancellable: true,
  percentage: 0,
};

test("a report changes what it names and keeps the rest", () => {
  const works = given(["t", begin], ["t", { kind: "report", message: "judging" }]);
  assert.deepEqual(works.get("t"), {
    title: "Fixing test_a",
    message: "judging",
    percentage: 0,
    cancellable: true,
  });
});

test("work that ends is gone, and other work stays", () => {
  const works = given(["t", begin], [7, begin], ["t", { kind: "end" }]);
  assert.deepEqual([...works.keys()], [7]);
});

test("a report that comes after the end does not bring the work back", () => {
  const works = given(
    ["t", begin],
    ["t", { kind: "end" }],
    ["t", { kind: "report", message: "late" }],
  );
  assert.equal(works.size, 0);
});

test("the works given are not changed", () => {
  withProgress(NONE, "t", begin);
  assert.equal(NONE.size, 0);
});

test("a server that is ready and does nothing is not busy", () => {
  assert.deepEqual(statusView("running", NONE), {
    text: "Bonafix",
    detail: "Ready",
    severity: "information",
    busy: false,
  });
});

test("running work is named, with its progress and how much more there is", () => {
  const works = given([1, begin], [2, { ...begin, title: "Running tests" }]);
  const report: ProgressValue = { kind: "report", message: "3 of 5", percentage: 59.6 };
  assert.deepEqual(statusView("running", withProgress(works, 2, report)), {
    text: "Bonafix: Running tests (+1)",
    detail: "3 of 5, 60 %",
    severity: "information",
    busy: true,
  });
});

for (const [state, severity, busy] of [
  ["starting", "information", true],
  ["stopped", "warning", false],
  ["failed", "error", false],
  ["missing", "error", false],
] as const) {
  test(`a server that is ${state} shows ${severity}, whatever work it had`, () => {
    const view = statusView(state, given(["t", begin]));
    assert.deepEqual([view.severity, view.busy], [severity, busy]);
    assert.doesNotMatch(view.text, /test_a/);
  });
}

test("work that says nothing of itself has no detail", () => {
  assert.equal(detail({ title: "x", cancellable: false }), "");
});

test("a start that failed stays failed when its connection closes", () => {
  assert.equal(after("failed", "stopped"), "failed");
  assert.equal(after("failed", "starting"), "starting");
  assert.equal(after("running", "stopped"), "stopped");
});

for (const [message, said] of [
  ["suite: 413/1,930 test_b[1 2]", "suite"],
  ["candidate 2: suite: 7", "candidate 2: suite"],
  ["policy: pass", "policy: pass"],
  ["thinking…", "thinking…"],
] as const) {
  test(`of ${message}, ${said} is worth saying`, () => {
    assert.equal(stageOf(message), said);
  });
}
