/** What a fix job says in; the fix as the view shows it out. Pure. */

import type { Candidate } from "./candidates.ts";

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

export type Phase = "running" | "ready" | "moved" | "refused" | "stopped";

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
  /** What models have cost so far, as the server says it. */
  readonly spent: string;
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
  readonly spent?: string;
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
    spent: "",
    thinking: "",
  };
}

/** After one line of progress: "suite: 413/1,930 test_a", "thinking…". */
export function progressed(fix: Fix, message: string): Fix {
  if (fix.phase !== "running") {
    return fix;
  }
  const [, name = "", rest = ""] =
    /^(?:candidate \d+: )?(\w+)(?::? (.*))?$/.exec(message) ?? [];
  // Progress may come late: what was found is told apart from it, and stays.
  const stages = RESULTS[rest] ? fix.stages : running(fix.stages, name, rest);
  return { ...fix, headline: message, stages };
}

/** One of the server's own notifications of what happens in a job. */
export interface Told {
  readonly job: string;
  readonly kind: string;
  readonly text: string;
  readonly stage?: string;
  readonly result?: string;
  readonly summary?: string;
  /** Of the last one of a fix: whether something may be applied. */
  readonly outcome?: string;
  readonly cost?: Cost;
}

/** What models have cost a job so far; `usd` is null where no price is known. */
export interface Cost {
  readonly usd: number | null;
  readonly requests: number;
  readonly tokens: number;
}

/** After one of them; most say nothing that is shown. */
export function told(before: Fix, event: Told): Fix {
  const { kind, text, stage, result, summary, cost } = event;
  const fix = cost ? { ...before, spent: spentOf(cost) } : before;
  if (kind === "thinking") {
    return { ...fix, thinking: fix.thinking ? `${fix.thinking}\n${text}` : text };
  }
  if (kind === "verdict" && !/^(verified|plausible)/.test(text)) {
    return { ...fix, refusals: [...fix.refusals, text] };
  }
  if (stage !== undefined && result !== undefined && RESULTS[result]) {
    const record = { name: stage, result: RESULTS[result], summary: summary ?? "" };
    const stages = stage === STAGES[0] ? OPEN : fix.stages;
    return { ...fix, stages: stages.map((one) => (one.name === stage ? record : one)) };
  }
  return fix;
}

function spentOf({ usd, requests, tokens }: Cost): string {
  const money = usd === null ? "cost unknown" : `about $${usd.toFixed(3)}`;
  const count = (value: number) => value.toLocaleString("en-US");
  return `cost so far: ${count(requests)} requests, ${count(tokens)} tokens, ${money}`;
}

/** What to say of a fix to somebody who does not see the view. */
export function spokenOf(fix: Fix): string {
  const count = (result: Result) =>
    fix.stages.filter((stage) => stage.result === result).length;
  const failed = count("fail") ? `, ${count("fail")} failed` : "";
  const stages = `${count("pass")} of ${fix.stages.length} stages passed${failed}`;
  const parts = [`${shortName(fix.test)} ${fix.phase}: ${fix.headline}`, stages];
  return [...parts, fix.spent].filter((part) => part).join("; ");
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

/** Only the stage of that name runs; where there is none, all stays as it was. */
function running(
  stages: readonly Stage[],
  name: string,
  summary: string,
): readonly Stage[] {
  return stages.some((stage) => stage.name === name)
    ? asTheyWere(stages).map((stage) =>
        stage.name === name ? { ...stage, result: "running", summary } : stage,
      )
    : stages;
}

function asTheyWere(stages: readonly Stage[]): readonly Stage[] {
  return stages.map((stage) =>
    stage.result === "running" ? { ...stage, result: "open", summary: "" } : stage,
  );
}
