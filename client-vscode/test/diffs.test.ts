import assert from "node:assert/strict";
import { test } from "node:test";
import { type FileDiff, pageDiffs, patched } from "../src/diffs.ts";

const PAGE = `# verified: t

## Candidate 1 of 2: verified

\`\`\`diff
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -1,3 +1,4 @@
 one
-two
+2
+zwei
 three
@@ -8 +9 @@
-\`\`\`
+--- eight
--- /dev/null
+++ b/new.py
@@ -0,0 +1,2 @@
+a
+b
\`\`\`

## Candidate 2 of 2: plausible

\`\`\`diff
--- a/other.py
+++ b/other.py
@@ -2,0 +3 @@
+after two
\`\`\`
`;
const OLD = "one\ntwo\nthree\n4\n5\n6\n7\n```\n";

function diff(candidate: number, file: number): FileDiff {
  const one = pageDiffs(PAGE)[candidate]?.[file];
  assert.ok(one);
  return one;
}

test("each candidate has its files, in order", () => {
  const paths = pageDiffs(PAGE).map((files) => files.map(({ path }) => path));
  assert.deepEqual(paths, [["shop/basket.py", "new.py"], ["other.py"]]);
});

test("hunks are made, be their lines like those of a diff or a fence", () => {
  const text = patched(OLD, diff(0, 0));
  assert.equal(text, "one\n2\nzwei\nthree\n4\n5\n6\n7\n--- eight\n");
});

test("line endings stay what they were", () => {
  const text = patched(OLD.replaceAll("\n", "\r\n"), diff(0, 0));
  assert.equal(text, "one\r\n2\r\nzwei\r\nthree\r\n4\r\n5\r\n6\r\n7\r\n--- eight\r\n");
});

test("a text that has changed is told from the one that was judged", () => {
  assert.equal(patched(OLD.replace("two", "too"), diff(0, 0)), undefined);
});

test("a new file begins with nothing", () => {
  assert.equal(diff(0, 1).isNew, true);
  assert.equal(patched("", diff(0, 1)), "a\nb\n");
});

test("lines are added after the line that a hunk without old ones names", () => {
  assert.equal(patched("1\n2\n3\n", diff(1, 0)), "1\n2\nafter two\n3\n");
});
