import assert from "node:assert/strict";
import { test } from "node:test";
import { candidatesTold, phaseOf } from "../src/candidates.ts";
import {
  begun,
  ended,
  type Fix,
  more,
  progressed,
  shortName,
  spokenOf,
  told,
} from "../src/fixes.ts";

/** A fix after these lines of progress. */
function after(...messages: string[]): Fix {
  return messages.reduce(progressed, begun("fix-1", "t.py::test_a", undefined, "low"));
}

function result(fix: Fix, name: string): string | undefined {
  return fix.stages.find((stage) => stage.name === name)?.result;
}

function record(stage: string, result: string, summary = "") {
  return { job: "fix-1", kind: "stage", text: stage, stage, result, summary };
}

test("stages are ticked, crossed, running or open", () => {
  const judged = [record("policy", "pass", "one file"), record("target", "fail")];
  const fix = progressed(
    judged.reduce(told, after()),
    "candidate 1: suite: 413/1,930 b",
  );
  assert.equal(result(fix, "policy"), "pass");
  assert.equal(fix.stages[0]?.summary, "one file");
  assert.equal(result(fix, "target"), "fail");
  assert.equal(result(fix, "suite"), "running");
  assert.equal(result(fix, "probe"), "open");
  assert.equal(fix.headline, "candidate 1: suite: 413/1,930 b");
});

test("progress that comes late takes back nothing that was found", () => {
  const judged = [record("policy", "pass"), record("taint", "pass")];
  const fix = progressed(judged.reduce(told, after()), "policy: pass");
  assert.deepEqual([result(fix, "policy"), result(fix, "taint")], ["pass", "pass"]);
});

test("the next candidate begins with every stage open", () => {
  const first = [record("policy", "pass"), record("target", "fail")];
  const fix = [...first, record("policy", "pass")].reduce(told, after());
  assert.equal(result(fix, "policy"), "pass");
  assert.equal(result(fix, "target"), "open");
});

test("what is no stage changes the headline only", () => {
  const fix = progressed(told(after(), record("policy", "pass")), "thinking…");
  assert.equal(fix.headline, "thinking…");
  assert.equal(result(fix, "policy"), "pass");
});

test("progress after the end changes nothing", () => {
  const over = ended(after("suite: 1/2"), { phase: "stopped", headline: "over" });
  assert.equal(result(over, "suite"), "open");
  assert.deepEqual(progressed(over, "policy: pass"), over);
});

test("refusals and thinking are kept, an acceptance is no refusal", () => {
  const events = [
    ["verdict", "special-cased: line 3"],
    ["thinking", "a"],
    ["verdict", "verified"],
    ["thinking", "b"],
    ["note", "x"],
  ].map(([kind = "", text = ""]) => ({ job: "fix-1", kind, text }));
  const fix = events.reduce(told, after());
  assert.deepEqual(fix.refusals, ["special-cased: line 3"]);
  assert.equal(fix.thinking, "a\nb");
});

test("what has been spent so far is the latest that was told", () => {
  const spent = (usd: number | null, requests: number, tokens: number) =>
    told(after(), { job: "", kind: "note", text: "x", cost: { usd, requests, tokens } })
      .spent;
  assert.equal(
    spent(0.0012, 1, 900),
    "cost so far: 1 requests, 900 tokens, about $0.001",
  );
  assert.equal(
    spent(null, 2, 12_345),
    "cost so far: 2 requests, 12,345 tokens, cost unknown",
  );
  const words = { job: "", kind: "note", text: "2 requests, free of charge" };
  assert.equal(told(after(), words).spent, "");
});

test("a fix is told in words as the view shows it", () => {
  const judged = [record("policy", "pass"), record("taint", "fail")];
  const fix = progressed(judged.reduce(told, after()), "thinking…");
  assert.equal(
    spokenOf(fix),
    "test_a running: thinking…; 1 of 11 stages passed, 1 failed",
  );
});

const OFFERED = {
  candidate: 1,
  ready: true,
  reason: "",
  verdict: "plausible",
  title: "Apply plausible fix (1/1 target)",
  missing: ["no probe"],
  files: ["a.py"],
  author: "claude",
  model: "m",
  effort: "low",
};

test("candidates are told with who wrote them and what is missing", () => {
  assert.deepEqual(candidatesTold([OFFERED]), [
    {
      number: 1,
      label: "Apply plausible fix (1/1 target)",
      verified: false,
      fits: true,
      reason: "",
      missing: ["no probe"],
      files: ["a.py"],
      by: "claude (m, low)",
    },
  ]);
  assert.equal(
    candidatesTold([{ ...OFFERED, model: "", effort: "" }])[0]?.by,
    "claude",
  );
});

test("a fix whose candidates were overtaken by the text is no refused one", () => {
  const moved = { ...OFFERED, ready: false };
  assert.equal(phaseOf(candidatesTold([])), "refused");
  assert.equal(phaseOf(candidatesTold([moved])), "moved");
  assert.equal(phaseOf(candidatesTold([moved, OFFERED])), "ready");
});

test("more effort is one step up, and no more than there is", () => {
  const steps = ["off", "low", "max", "4096"].map(more);
  assert.deepEqual(steps, ["low", "medium", "max", "high"]);
});

test("a short name leaves out the file alone", () => {
  assert.equal(shortName("a/t.py::C::test_x[1::2]"), "C::test_x[1::2]");
});
