/** An evidence page's diffs and texts in, the texts after them out. Pure. */

export interface FileDiff {
  /** Relative to the root, with "/". */
  readonly path: string;
  /** The patch makes the file. */
  readonly isNew: boolean;
  readonly hunks: readonly Hunk[];
}

interface Hunk {
  /** The line (0-based) where the old side begins. */
  readonly start: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The diffs of a page, candidate by candidate, in the page's order. */
export function pageDiffs(markdown: string): FileDiff[][] {
  const blocks = markdown.matchAll(/^```diff\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, text = ""]) => fileDiffs(text));
}

/** The text with the hunks made; undefined where it is not the text they are for. */
export function patched(text: string, diff: FileDiff): string | undefined {
  const ending = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text === "" ? [] : text.split(/\r\n|\r|\n/);
  for (const { start, before, after } of [...diff.hunks].reverse()) {
    if (before.some((line, index) => lines[start + index] !== line)) {
      return undefined;
    }
    lines.splice(start, before.length, ...after);
  }
  return lines.join(ending) + (text === "" ? ending : "");
}

function fileDiffs(text: string): FileDiff[] {
  const found: Array<FileDiff & { hunks: Hunk[] }> = [];
  const lines = text.split("\n").slice(0, -1);
  for (let at = 0; at < lines.length; at += 1) {
    const from = /^--- (.*)$/.exec(lines[at] ?? "")?.[1];
    const to = /^\+\+\+ (.*)$/.exec(lines[at + 1] ?? "")?.[1];
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(lines[at] ?? "");
    const file = found.at(-1);
    if (from && to) {
      const path = (to === "/dev/null" ? from : to).replace(/^[ab]\//, "");
      found.push({ path, isNew: from === "/dev/null", hunks: [] });
      at += 1;
    } else if (hunk && file) {
      const size = sizeOf(lines, at + 1, Number(hunk[2] ?? 1), Number(hunk[4] ?? 1));
      const body = lines.slice(at + 1, at + 1 + size);
      file.hunks.push(sides(Number(hunk[1]), Number(hunk[2] ?? 1), body));
      at += size;
    }
  }
  return found;
}

/** How many lines a hunk has: until both sides are complete. */
function sizeOf(lines: string[], from: number, old: number, fresh: number): number {
  let [left, right, at] = [old, fresh, from];
  while ((left > 0 || right > 0) && at < lines.length) {
    const mark = lines[at]?.[0];
    left -= mark === "+" ? 0 : 1;
    right -= mark === "-" ? 0 : 1;
    at += 1;
  }
  return at - from;
}

function sides(line: number, count: number, body: string[]): Hunk {
  const of = (other: string) =>
    body.filter((one) => one[0] !== other).map((one) => one.slice(1));
  // A hunk without old lines names the line that it comes after.
  return { start: count === 0 ? line : line - 1, before: of("+"), after: of("-") };
}
