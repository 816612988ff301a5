import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type Failure, failure, steps } from "../src/testTree.ts";

function failing(name: string, message = "m", stale = false, line = 0): Failure {
  return failure({ code: `t.py::${name}`, message, stale, line });
}

test("a node id leads from its file to its parameters", () => {
  const labels = steps("a/t.py::TestX::test_y[1::2-[a]]").map(({ label }) => label);
  assert.deepEqual(labels, ["a/t.py", "TestX", "test_y", "[1::2-[a]]"]);
  assert.equal(steps("a/t.py::test_y").at(-1)?.id, "a/t.py::test_y");
});

test("both sides of a comparison are read from the message", () => {
  const { expected, actual } = failing("a", "no\nexpected: 3\nactual:   -1\n- 3");
  assert.deepEqual([expected, actual], ["3", "-1"]);
  assert.equal(failing("a", "ValueError: x").expected, undefined);
});

test("a failure that only moved is no news", () => {
  const now = [failing("a", "m", false, 9)];
  assert.deepEqual(changes([failing("a")], now), { failed: [], gone: [], stale: [] });
});

test("new, changed and confirmed failures are news; those not shown are gone", () => {
  const before = [failing("a"), failing("b"), failing("c", "m", true)];
  const now = [failing("b", "other"), failing("c"), failing("d")];
  const { failed, gone } = changes(before, now);
  assert.deepEqual(
    failed.map((one) => one.test),
    ["t.py::b", "t.py::c", "t.py::d"],
  );
  assert.deepEqual(gone, ["t.py::a"]);
});

test("what is stale is no result any more, and is said once", () => {
  const stale = [failing("a", "m", true)];
  assert.deepEqual(changes([failing("a")], stale).stale, ["t.py::a"]);
  assert.deepEqual(changes(stale, stale), { failed: [], gone: [], stale: [] });
});
