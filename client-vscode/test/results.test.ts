import assert from "node:assert/strict";
import { test } from "node:test";
import { isRed, resultsTold, shownAs } from "../src/results.ts";

const TEST = {
  id: "t.py::test_a[1]",
  outcome: "xfailed",
  seconds: 0.25,
  uri: "file:///p/t.py",
  line: 3,
};
const RESULTS = { root: "file:///p", job: "run-1", whole: true, part: 1, parts: 2 };

test("a run's results are read as they are sent", () => {
  const { id, ...rest } = TEST;
  assert.deepEqual(resultsTold({ ...RESULTS, tests: [TEST] }), {
    ...RESULTS,
    tests: [{ test: id, ...rest }],
  });
});

test("a run without tests has results, too", () => {
  assert.deepEqual(resultsTold({ ...RESULTS, tests: [] })?.tests, []);
});

for (const wrong of [undefined, null, {}, { root: "file:///p" }, { tests: [] }, 7]) {
  test(`no results are made of ${JSON.stringify(wrong)}`, () => {
    assert.equal(resultsTold(wrong), undefined);
  });
}

test("what lacks a name or a file is left out", () => {
  const tests = [{ ...TEST, id: undefined }, { ...TEST, uri: 3 }, TEST];
  assert.equal(resultsTold({ ...RESULTS, tests })?.tests.length, 1);
});

for (const [outcome, shown] of [
  ["passed", "passed"],
  ["xpassed", "passed"],
  ["failed", "failed"],
  ["error", "errored"],
  ["hung", "errored"],
  ["crashed", "errored"],
  ["skipped", "skipped"],
  ["xfailed", "skipped"],
  ["missing", undefined],
] as const) {
  test(`${outcome} is shown as ${shown}`, () => {
    assert.equal(shownAs(outcome), shown);
  });
}

for (const [shown, red] of [
  ["failed", true],
  ["errored", true],
  ["passed", false],
  ["skipped", false],
  [undefined, false],
] as const) {
  test(`what is shown as ${shown} ${red ? "is" : "is not"} for fixing`, () => {
    assert.equal(isRed(shown), red);
  });
}
