/** The server's own notification of a run in; every test with its outcome out. Pure. */

/** One test of a run; `line` counts from 0, as editors do. */
export interface Result {
  readonly test: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly uri: string;
  readonly line: number;
}

/** A part of what one run did in one workspace folder. */
export interface Results {
  /** The folder's URI. */
  readonly root: string;
  readonly job: string;
  /** The run was of the whole suite: what it did not tell of does not exist. */
  readonly whole: boolean;
  readonly part: number;
  readonly parts: number;
  readonly tests: readonly Result[];
}

export type Shown = "passed" | "failed" | "errored" | "skipped";

/** The server's words for how a test ends, in the four that the Testing view has. */
const SHOWN: Readonly<Record<string, Shown>> = {
  passed: "passed",
  xfailed: "skipped", // as announced: no success, and nothing to look at
  xpassed: "passed",
  skipped: "skipped",
  failed: "failed",
  error: "errored",
  hung: "errored",
  crashed: "errored",
};

/** How to show an outcome; undefined for a test of which nothing was heard. */
export function shownAs(outcome: string): Shown | undefined {
  return SHOWN[outcome];
}

/** Whether there is something to fix. */
export function isRed(shown: Shown | undefined): boolean {
  return shown === "failed" || shown === "errored";
}

/** The notification's parameters, checked; undefined where they are of another kind. */
export function resultsTold(params: unknown): Results | undefined {
  const { root, job, whole, part, parts, tests } = (params ?? {}) as Fields;
  if (typeof root !== "string" || !Array.isArray(tests)) {
    return undefined;
  }
  return {
    root,
    job: String(job ?? ""),
    whole: whole === true,
    part: typeof part === "number" ? part : 1,
    parts: typeof parts === "number" ? parts : 1,
    tests: tests.flatMap(result),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function result(value: Fields): Result[] {
  const { id, outcome, seconds, uri, line } = value;
  if (typeof id !== "string" || typeof uri !== "string") {
    return [];
  }
  return [
    {
      test: id,
      outcome: String(outcome),
      seconds: typeof seconds === "number" ? seconds : 0,
      uri,
      line: typeof line === "number" ? line : 0,
    },
  ];
}
