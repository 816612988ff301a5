/** A receipt's text and an evidence page in; what the view shows of them out. Pure. */

import type { Result, Stage } from "./fixes.ts";

export interface Told {
  readonly stages: readonly Stage[];
  readonly facts: readonly string[];
  readonly effort: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What `text` (a receipt, JSON) says; nothing where it is none. */
export function receiptTold(text: string): Told | undefined {
  const receipt = parsed(text);
  const evidence = receipt?.evidence;
  if (!receipt || !Array.isArray(evidence)) {
    return undefined;
  }
  return {
    stages: evidence.filter(isFields).map(stage),
    facts: [author(receipt), cost(receipt.cost), missing(receipt.missing)].filter(
      (fact) => fact !== "",
    ),
    effort: textOf(receipt.effort),
  };
}

/** The page begins with "# verdict: test", an empty line, and the reason. */
export function headline(page: string): string {
  const [title = "", , reason = ""] = page.split("\n");
  const verdict = /^# ([\w-]+):/.exec(title)?.[1];
  return [verdict, reason].filter((part) => part).join(": ");
}

function stage(record: Fields): Stage {
  const doubt = record.doubt ? ` Doubt: ${textOf(record.doubt)}.` : "";
  const place = isFields(record.place)
    ? ` (${textOf(record.place.path)}:${record.place.line})`
    : "";
  return {
    name: textOf(record.stage),
    result: textOf(record.result) as Result, // the same words on both sides
    summary: `${textOf(record.summary)}${place}${doubt}`,
  };
}

function author(receipt: Fields): string {
  const how = [receipt.model, receipt.effort].map(textOf).filter((part) => part);
  const by = textOf(receipt.author);
  return by && `by ${by}${how.length ? ` (${how.join(", ")})` : ""}`;
}

/** Money as it stands on the receipt: `null` is a price that nobody knows. */
function cost(value: unknown): string {
  if (!isFields(value) || !value.requests) {
    return "cost: nothing, no model was asked";
  }
  const money =
    typeof value.usd === "number" ? `${value.usd.toFixed(4)} USD` : "unknown";
  const tokens = Number(value.input_tokens) + Number(value.output_tokens);
  return `cost: ${money}, ${tokens} tokens, ${value.requests} requests`;
}

function missing(value: unknown): string {
  const reasons = Array.isArray(value) ? value.map(textOf) : [];
  return reasons.length ? `not shown: ${reasons.join("; ")}` : "";
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined; // half written, or no receipt at all
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
