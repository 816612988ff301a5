import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { oneAtATime, within } from "../src/restart.ts";

/** A job that ends when told to, and remembers how many of it ran at once. */
function gate() {
  const ends: Array<(failure?: Error) => void> = [];
  let now = 0;
  let most = 0;
  return {
    started: () => ends.length,
    most: () => most,
    end: (run: number, failure?: Error) => ends[run]?.(failure),
    job: async () => {
      now += 1;
      most = Math.max(most, now);
      try {
        await new Promise<void>((resolve, reject) => {
          ends.push((failure) => (failure ? reject(failure) : resolve()));
        });
      } finally {
        now -= 1;
      }
    },
  };
}

test("many requests during a run lead to one more run, which they share", async () => {
  const { job, started, end, most } = gate();
  const request = oneAtATime(job);
  const first = request();
  const later = [request(), request(), request()];
  assert.equal(started(), 1);
  end(0);
  await first;
  await turn();
  assert.equal(started(), 2);
  end(1);
  await Promise.all(later);
  assert.deepEqual([started(), most()], [2, 1]);
});

test("a request during the waiting run's start is served by a run after it", async () => {
  const { job, started, end, most } = gate();
  const request = oneAtATime(job);
  void request();
  void request();
  end(0);
  await turn();
  const third = request();
  assert.equal(started(), 2);
  end(1);
  await turn();
  end(2);
  await third;
  assert.deepEqual([started(), most()], [3, 1]);
});

test("a request between the end of one run and the next starts nothing twice", async () => {
  const { job, started, end, most } = gate();
  const request = oneAtATime(job);
  const first = request();
  const second = request();
  end(0);
  const third = first.then(() => request());
  await turn();
  end(1);
  await turn();
  end(2);
  await Promise.all([second, third]);
  assert.ok(started() <= 3);
  assert.equal(most(), 1);
});

test("a run that fails does not stop the next", async () => {
  const { job, started, end } = gate();
  const request = oneAtATime(job);
  const first = request();
  const second = request();
  end(0, new Error("no server"));
  await assert.rejects(first, /no server/);
  await turn();
  assert.equal(started(), 2);
  end(1);
  await second;
});

test("when all is over a request starts a run at once", async () => {
  const { job, started, end } = gate();
  const request = oneAtATime(job);
  const first = request();
  end(0);
  await first;
  const second = request();
  assert.equal(started(), 2);
  end(1);
  await second;
});

test("work that never ends is given up after its time", async () => {
  await assert.rejects(within(10, new Promise(() => {}), "too late"), /too late/);
});

test("work that ends in time gives its value, and its failure", async () => {
  assert.equal(await within(10_000, Promise.resolve(3), "too late"), 3);
  await assert.rejects(
    within(10_000, Promise.reject(new Error("broken")), "too late"),
    /broken/,
  );
});
