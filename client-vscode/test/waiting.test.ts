import assert from "node:assert/strict";
import { test } from "node:test";
import { openWaiting } from "../src/waiting.ts";

test("what holds already is not waited for", async () => {
  assert.equal(await openWaiting().until(() => true), true);
});

test("news ends the wait of those for whom it is the right news", async () => {
  const waiting = openWaiting();
  let count = 0;
  const two = waiting.until(() => count === 2);
  for (count = 1; count < 3; count += 1) {
    waiting.news();
  }
  assert.equal(await two, true);
});

test("patience ends, and says that nothing came", async () => {
  assert.equal(await openWaiting().until(() => false, 5), false);
});

test("what became true without news is seen when patience ends", async () => {
  let holds = false;
  const answer = openWaiting().until(() => holds, 5);
  holds = true;
  assert.equal(await answer, true);
});
