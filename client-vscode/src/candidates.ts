/** What the server says of a fix's candidates in; what may be chosen from out. Pure. */

import type { Phase } from "./fixes.ts";

/** A judged patch against which nothing was proven. */
export interface Candidate {
  readonly number: number;
  /** As the server's action says it: the verdict and the numbers behind it. */
  readonly label: string;
  readonly verified: boolean;
  /** Whether it fits the text as that stood when it was asked; else why not. */
  readonly fits: boolean;
  readonly reason: string;
  readonly missing: readonly string[];
  readonly files: readonly string[];
  /** Who wrote it, with model and effort. */
  readonly by: string;
}

/** The candidates of the server's answer; an ending is ready if one of them fits. */
export function candidatesTold(value: unknown): Candidate[] {
  return Array.isArray(value) ? value.map(candidate) : [];
}

export function phaseOf(candidates: readonly Candidate[]): Exclude<Phase, "running"> {
  if (candidates.length === 0) {
    return "refused";
  }
  return candidates.some(({ fits }) => fits) ? "ready" : "moved";
}

function candidate(value: Readonly<Record<string, unknown>>): Candidate {
  const how = [value.model, value.effort].filter((part) => part).join(", ");
  return {
    number: Number(value.candidate),
    label: String(value.title),
    verified: value.verdict === "verified",
    fits: value.ready === true,
    reason: String(value.reason ?? ""),
    missing: strings(value.missing),
    files: strings(value.files),
    by: [value.author, how && `(${how})`].filter((part) => part).join(" "),
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
