/** Node ids and diagnostics in; the tree of tests and what failed out. Pure. */

/** One step on the way to a test: a file, a class, a function, a set of parameters. */
export interface Step {
  /** The node id so far; "" for the workspace folder itself. */
  readonly id: string;
  readonly label: string;
}

export interface Told {
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

/** A place in the tree: two workspace folders may hold the same node id. */
export interface Place {
  /** The folder's URI, which has no spaces. */
  readonly root: string;
  readonly test: string;
}

export function itemId({ root, test }: Place): string {
  return `${root} ${test}`;
}

export function placeOf(id: string): Place {
  const cut = id.indexOf(" ");
  return { root: id.slice(0, cut), test: id.slice(cut + 1) };
}

/** The ids of a place and of all that is above it: where a menu may be opened on it. */
export function withThoseAbove(place: Place): string[] {
  const { root, test } = place;
  const way = ["", ...steps(test).map(({ id }) => id)];
  return way.map((id) => itemId({ root, test: id }));
}

/** The file that a node id names. */
export function fileOf(test: string): string {
  return steps(test)[0]?.id ?? test;
}

export function failure(told: Told): Failure {
  const lines = told.message.split("\n");
  const after = (start: string) =>
    lines
      .find((line) => line.startsWith(start))
      ?.slice(start.length)
      .trim();
  return {
    test: told.code,
    message: told.message,
    expected: after("expected:"),
    actual: after("actual:"),
    line: told.line,
    stale: told.stale,
  };
}

/** Whose results the Testing view shows: two trees of the same tests help nobody. */
export function showsTests(
  choice: string,
  others: { readonly installed: boolean; readonly enabled: boolean },
): boolean {
  return choice === "auto" ? !(others.installed && others.enabled) : choice === "on";
}
