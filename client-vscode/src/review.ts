/** A candidate's diffs in; the editor's own diff of every file that it touches out. */

import { commands, TabInputTextDiff, Uri, window, workspace } from "vscode";
import { type FileDiff, patched } from "./diffs.ts";
import { type Pages, pageUri, type Shown, shownAt } from "./pages.ts";

/** What the title of every diff of ours says. */
export const PENDING = "(nothing applied yet)";

interface Side {
  readonly file: Uri;
  readonly before: Uri;
  readonly after: Uri;
}

/**
 * Nothing is written: the right side is a page, the left the file as it stands.
 * False where a file is not what the diffs were made for.
 */
export async function showDiff(
  pages: Pages,
  shown: Shown,
  title: string,
  root: Uri,
  diffs: readonly FileDiff[],
): Promise<boolean> {
  const sides = await Promise.all(
    diffs.map((diff) => side(pages, shown, Uri.joinPath(root, diff.path), diff)),
  );
  const known = sides.filter((one) => one !== undefined);
  const [first] = known;
  if (!first || known.length < sides.length) {
    return false;
  }
  if (known.length === 1) {
    const heading = `${workspace.asRelativePath(first.file)}: ${title}`;
    await commands.executeCommand("vscode.diff", first.before, first.after, heading);
  } else {
    const rows = known.map(({ file, before, after }) => [file, before, after]);
    await commands.executeCommand("vscode.changes", title, rows);
  }
  return true;
}

/**
 * Close the diffs of a job, once there is nothing left to decide.
 *
 * Of a tab with several files the editor tells its label only; so all of ours go.
 */
export async function closeDiffs(job: string): Promise<void> {
  const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
  const ours = tabs.filter(({ input, label }) =>
    input instanceof TabInputTextDiff
      ? shownAt(input.modified)?.job === job
      : label.includes(PENDING),
  );
  await window.tabGroups.close(ours);
}

async function side(
  pages: Pages,
  shown: Shown,
  file: Uri,
  diff: FileDiff,
): Promise<Side | undefined> {
  const text = patched(diff.isNew ? "" : await current(file), diff);
  if (text === undefined) {
    return undefined;
  }
  const after = pages.put(pageUri(shown, file.path), text);
  const nothing = after.with({ query: `${shown.job}/none` });
  return { file, before: diff.isNew ? nothing : file, after };
}

/** The text as it is in the editor, saved or not. */
async function current(file: Uri): Promise<string> {
  try {
    return (await workspace.openTextDocument(file)).getText();
  } catch {
    return ""; // deleted meanwhile: no diff fits it
  }
}
