/** Node ids and diagnostics in; the tree of tests and what failed out. Pure. */

/** One step on the way to a test: a file, a class, a function, a set of parameters. */
export interface Step {
  readonly id: string;
  readonly label: string;
}

export interface Shown {
  readonly message: string;
  readonly code: string;
  readonly line: number;
  readonly stale: boolean;
}

export interface Failure {
  readonly test: string;
  readonly message: string;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
  readonly line: number;
  readonly stale: boolean;
}

/** From the file down to the test itself; parameters may hold "::" and brackets. */
export function steps(test: string): Step[] {
  const bracket = test.indexOf("[");
  const plain = bracket < 0 ? test : test.slice(0, bracket);
  const names = plain.split("::");
  const way = names.map((label, depth) => ({
    id: names.slice(0, depth + 1).join("::"),
    label,
  }));
  return bracket < 0 ? way : [...way, { id: test, label: test.slice(bracket) }];
}

export function failure(shown: Shown): Failure {
  const lines = shown.message.split("\n");
  const after = (start: string) =>
    lines
      .find((line) => line.startsWith(start))
      ?.slice(start.length)
      .trim();
  return {
    test: shown.code,
    message: shown.message,
    expected: after("expected:"),
    actual: after("actual:"),
    line: shown.line,
    stale: shown.stale,
  };
}

export interface Changes {
  readonly failed: readonly Failure[];
  /** Shown as failing before, and no more. */
  readonly gone: readonly string[];
  readonly stale: readonly string[];
}

/** What a file's new failures mean after its old ones; moved lines alone mean nothing. */
export function changes(before: readonly Failure[], now: readonly Failure[]): Changes {
  const old = new Map(before.map((one) => [one.test, one]));
  const tests = new Set(now.map((one) => one.test));
  return {
    failed: now.filter((one) => {
      const was = old.get(one.test);
      return !one.stale && (was?.stale !== false || was.message !== one.message);
    }),
    gone: before.map((one) => one.test).filter((test) => !tests.has(test)),
    stale: now
      .filter((one) => one.stale && !old.get(one.test)?.stale)
      .map(({ test }) => test),
  };
}
