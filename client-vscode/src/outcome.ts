/** A fix job that has ended in; how it ended, and its diffs, out. */

import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { candidatesTold, phaseOf } from "./candidates.ts";
import { type FileDiff, pageDiffs } from "./diffs.ts";
import type { Ending } from "./fixes.ts";
import { headline, receiptTold } from "./receipt.ts";

export interface Outcome {
  readonly ending: Ending;
  /** By candidate, in the server's order. */
  readonly diffs: FileDiff[][];
}

interface Asked {
  /** A command of the server's; a failure is nobody's business. */
  quietly(command: string, argument: object): Promise<unknown>;
}

interface Page {
  readonly markdown: string;
  readonly receipt: string;
  readonly candidates: unknown;
}

const TRIES = 3; // to learn how a job ended that has just said its last
const PAUSE = 200; // milliseconds between them

/** Undefined where it ended without a result: it was cancelled, or it failed. */
export async function outcomeOf(
  server: Asked,
  job: string,
): Promise<Outcome | undefined> {
  const page = await pageOf(server, job);
  if (!page) {
    return undefined;
  }
  const kept = receiptTold(await textOf(page.receipt));
  const candidates = candidatesTold(page.candidates);
  const ending = {
    phase: phaseOf(candidates),
    headline: headline(page.markdown),
    candidates,
    ...(kept && { stages: kept.stages, facts: kept.facts, spent: "" }),
    ...(kept?.effort && { effort: kept.effort }),
  };
  return { ending, diffs: pageDiffs(page.markdown) };
}

async function pageOf(server: Asked, job: string): Promise<Page | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await server.quietly("bonafix.showEvidence", { job });
    if (answer) {
      return answer as Page;
    }
    await pause(PAUSE);
  }
  return undefined;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return ""; // no receipt was kept: the page says what there is to say
  }
}
