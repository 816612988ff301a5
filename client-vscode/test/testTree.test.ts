import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Failure,
  failure,
  fileOf,
  itemId,
  placeOf,
  showsTests,
  steps,
  withThoseAbove,
} from "../src/testTree.ts";

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

test("an item's id tells the folder and the test, whatever is in it", () => {
  const place = { root: "file:///a%20b", test: "t.py::test_y[a b]" };
  assert.deepEqual(placeOf(itemId(place)), place);
  assert.deepEqual(withThoseAbove(place), [
    "file:///a%20b ",
    "file:///a%20b t.py",
    "file:///a%20b t.py::test_y",
    "file:///a%20b t.py::test_y[a b]",
  ]);
  assert.equal(fileOf(place.test), "t.py");
});

for (const [choice, installed, enabled, shown] of [
  ["auto", false, false, true],
  ["auto", true, false, true],
  ["auto", false, true, true],
  ["auto", true, true, false],
  ["on", true, true, true],
  ["off", false, false, false],
] as const) {
  const theirs = `${installed ? "an" : "no"} extension, ${enabled ? "on" : "off"}`;
  test(`testingView ${choice} beside ${theirs}: ${shown}`, () => {
    assert.equal(showsTests(choice, { installed, enabled }), shown);
  });
}
