import assert from "node:assert/strict";
import { test } from "node:test";
import {
  begun,
  ended,
  type Fix,
  logged,
  more,
  progressed,
  shortName,
} from "../src/fixes.ts";

/** A fix after these lines of progress. */
function after(...messages: string[]): Fix {
  return messages.reduce(progressed, begun("fix-1", "t.py::test_a", undefined, "low"));
}

function result(fix: Fix, name: string): string | undefined {
  return fix.stages.find((stage) => stage.name === name)?.result;
}

test("stages are ticked, crossed, running or open", () => {
  const fix = after(
    "policy: pass",
    "candidate 1: target: fail",
    "suite: 413/1,930 test_b",
  );
  assert.equal(result(fix, "policy"), "pass");
  assert.equal(result(fix, "target"), "fail");
  assert.equal(result(fix, "suite"), "running");
  assert.equal(result(fix, "probe"), "open");
  assert.equal(fix.headline, "suite: 413/1,930 test_b");
});

test("the next candidate begins with every stage open", () => {
  const fix = after("policy: pass", "target: fail", "candidate 2: policy: pass");
  assert.equal(result(fix, "policy"), "pass");
  assert.equal(result(fix, "target"), "open");
});

test("what is no stage changes the headline only", () => {
  const fix = after("policy: pass", "thinking…");
  assert.equal(fix.headline, "thinking…");
  assert.equal(result(fix, "policy"), "pass");
});

test("progress after the end changes nothing", () => {
  const over = ended(after("suite: 1/2"), { phase: "stopped", headline: "over" });
  assert.equal(result(over, "suite"), "open");
  assert.deepEqual(progressed(over, "policy: pass"), over);
});

test("refusals and thinking are kept, an acceptance is no refusal", () => {
  const lines = [
    "verdict: special-cased: line 3",
    "model's summary: a",
    "verdict: verified",
  ];
  const fix = [...lines, "model's summary: b", "note: x"].reduce(logged, after());
  assert.deepEqual(fix.refusals, ["special-cased: line 3"]);
  assert.equal(fix.thinking, "a\nb");
});

test("more effort is one step up, and no more than there is", () => {
  const steps = ["off", "low", "max", "4096"].map(more);
  assert.deepEqual(steps, ["low", "medium", "max", "high"]);
});

test("a short name leaves out the file alone", () => {
  assert.equal(shortName("a/t.py::C::test_x[1::2]"), "C::test_x[1::2]");
});
