/** What a fix job says in; the fix as the view shows it out. Pure. */

/** The gate's stages in its order; what it records under other names comes after. */
export const STAGES = [
  "policy",
  "taint",
  "target",
  "suite",
  "canary",
  "replay",
  "sealed",
  "probe",
  "examiner",
  "reviewer",
  "confirm",
] as const;

export type Result = "open" | "running" | "pass" | "fail" | "inconclusive" | "skipped";

export interface Stage {
  readonly name: string;
  readonly result: Result;
  readonly summary: string;
}

/** A judged patch that may be applied as the text stands now. */
export interface Candidate {
  readonly number: number;
  /** As the server's action says it: the verdict and the numbers behind it. */
  readonly label: string;
  readonly verified: boolean;
}

export type Phase = "running" | "ready" | "refused" | "stopped";

export interface Fix {
  readonly job: string;
  readonly test: string;
  /** The URI of the workspace folder, where the server told it. */
  readonly root: string | undefined;
  readonly phase: Phase;
  readonly headline: string;
  readonly stages: readonly Stage[];
  /** What became of the candidates before the one that is judged now. */
  readonly refusals: readonly string[];
  readonly candidates: readonly Candidate[];
  readonly facts: readonly string[];
  /** The model's summary of its thinking: its words, and no evidence. */
  readonly thinking: string;
  readonly effort: string;
}

/** What the receipt and the page of a job that has ended say. */
export interface Ending {
  readonly phase: Exclude<Phase, "running">;
  readonly headline: string;
  readonly stages?: readonly Stage[];
  readonly candidates?: readonly Candidate[];
  readonly facts?: readonly string[];
  readonly effort?: string;
}

const OPEN: readonly Stage[] = STAGES.map((name) => ({
  name,
  result: "open",
  summary: "",
}));

const RESULTS: Readonly<Record<string, Result>> = {
  pass: "pass",
  fail: "fail",
  inconclusive: "inconclusive",
  skipped: "skipped",
};

const THOUGHT = "model's summary: ";
const EFFORTS = ["off", "low", "medium", "high", "xhigh", "max"];

export function begun(
  job: string,
  test: string,
  root: string | undefined,
  effort: string,
): Fix {
  return {
    job,
    test,
    root,
    effort,
    phase: "running",
    headline: "starting",
    stages: OPEN,
    refusals: [],
    candidates: [],
    facts: [],
    thinking: "",
  };
}

/** After one line of progress: "suite: 413/1,930", "canary: pass", "candidate: …". */
export function progressed(fix: Fix, message: string): Fix {
  if (fix.phase !== "running") {
    return fix;
  }
  const words = /^(?:candidate \d+: )?(\w+)(?::? (.*))?$/.exec(message);
  const [, name = "", rest = ""] = words ?? [];
  const result = RESULTS[rest] ?? "running";
  const first = name === STAGES[0]; // of the next candidate: nothing is known of it yet
  const stages = marked(first ? OPEN : fix.stages, name, result, rest);
  return { ...fix, headline: message, stages };
}

/** After one line of the log; most say nothing that is shown. */
export function logged(fix: Fix, line: string): Fix {
  if (line.startsWith(THOUGHT)) {
    const thought = line.slice(THOUGHT.length);
    return { ...fix, thinking: fix.thinking ? `${fix.thinking}\n${thought}` : thought };
  }
  const verdict = /^verdict: (.*)/s.exec(line)?.[1];
  return verdict && !/^(verified|plausible)/.test(verdict)
    ? { ...fix, refusals: [...fix.refusals, verdict] }
    : fix;
}

export function ended(fix: Fix, ending: Ending): Fix {
  return { ...fix, stages: asTheyWere(fix.stages), ...ending };
}

/** The next effort above this one; a number of tokens is taken for a middling one. */
export function more(effort: string): string {
  const place = EFFORTS.indexOf(effort);
  return EFFORTS[place < 0 ? 3 : Math.min(place + 1, EFFORTS.length - 1)] ?? "high";
}

/** The node id without its file. */
export function shortName(test: string): string {
  const cut = test.indexOf("::");
  return cut < 0 ? test : test.slice(cut + 2);
}

/** A stage that runs ends those before it: not every result of theirs is told. */
function marked(
  stages: readonly Stage[],
  name: string,
  result: Result,
  summary: string,
): readonly Stage[] {
  const at = stages.findIndex((stage) => stage.name === name);
  if (at < 0) {
    return stages;
  }
  return stages.map((stage, index) => {
    if (index === at) {
      return { ...stage, result, summary: result === "running" ? summary : "" };
    }
    return stage.result === "running" ? { ...stage, result: "open" } : stage;
  });
}

function asTheyWere(stages: readonly Stage[]): readonly Stage[] {
  return stages.map((stage) =>
    stage.result === "running" ? { ...stage, result: "open", summary: "" } : stage,
  );
}
