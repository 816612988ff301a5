import assert from "node:assert/strict";
import { test } from "node:test";
import { headline, receiptTold } from "../src/receipt.ts";

const RECEIPT = {
  author: "claude",
  model: "claude-x",
  effort: "low",
  missing: ["no probe"],
  cost: { usd: 0.0123, input_tokens: 900, output_tokens: 100, requests: 2 },
  evidence: [
    { stage: "suite", result: "pass", summary: "3 unchanged", doubt: "" },
    {
      stage: "taint",
      result: "fail",
      summary: "knows a test",
      place: { path: "a.py", line: 3 },
      doubt: "it may be a table",
    },
  ],
};

test("a receipt tells its stages with their places and doubts", () => {
  const told = receiptTold(JSON.stringify(RECEIPT));
  assert.deepEqual(told?.stages[0], {
    name: "suite",
    result: "pass",
    summary: "3 unchanged",
  });
  assert.equal(
    told?.stages[1]?.summary,
    "knows a test (a.py:3) Doubt: it may be a table.",
  );
});

test("a receipt tells who, what it cost, and what is not shown", () => {
  assert.deepEqual(receiptTold(JSON.stringify(RECEIPT))?.facts, [
    "by claude (claude-x, low)",
    "cost: 0.0123 USD, 1000 tokens, 2 requests",
    "not shown: no probe",
  ]);
});

test("a price that nobody knows is not shown as nothing", () => {
  const unknown = { ...RECEIPT, cost: { ...RECEIPT.cost, usd: null } };
  assert.match(receiptTold(JSON.stringify(unknown))?.facts[1] ?? "", /unknown/);
});

for (const text of ["", "{", "[]", "null", '{"kind": "bill"}']) {
  test(`no receipt is made of ${JSON.stringify(text)}`, () => {
    assert.equal(receiptTold(text), undefined);
  });
}

test("a page's headline is its verdict and the reason", () => {
  const page = "# special-cased: t.py::test_a\n\nthe tests' literals\n\n- Targets: x";
  assert.equal(headline(page), "special-cased: the tests' literals");
});
