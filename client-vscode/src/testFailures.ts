/** The editor's diagnostics in; the failures of tests, as the Testing view needs them, out. */

import {
  type Diagnostic,
  DiagnosticSeverity,
  Location,
  languages,
  Position,
  type TestItem,
  TestMessage,
  type Uri,
  workspace,
} from "vscode";
import { SECTION } from "./settings.ts";
import { type Failure, failure, itemId } from "./testTree.ts";

export interface Found extends Failure {
  readonly file: Uri;
}

/** The value that menus on a failure's message look for. */
const FAILURE = "bonafix.failure";

/** Projects that results came from: one folder may hold several. */
const projects = new Set<string>();

export function noteProject(root: string): void {
  projects.add(root);
}

export function rootOf(file: Uri): string | undefined {
  const uri = file.toString();
  const holding = [...projects].filter((one) => uri.startsWith(`${one}/`));
  const [inner] = holding.sort((a, b) => b.length - a.length);
  return inner ?? workspace.getWorkspaceFolder(file)?.uri.toString();
}

export function failuresIn(file: Uri): Found[] {
  const ours = languages.getDiagnostics(file).filter(isOurs);
  return ours.map((one) => ({ ...asFailure(one), file }));
}

/** All that the editor shows for a folder, by test; it looks at every diagnostic. */
export function failuresBelow(root: string): ReadonlyMap<string, Found> {
  const here = languages.getDiagnostics().filter(([file]) => rootOf(file) === root);
  const shown = here.flatMap(([file]) => failuresIn(file));
  return new Map(shown.map((one) => [one.test, one]));
}

/** The ids of the items whose tests fail in a file. */
export function failingIn(file: Uri): string[] {
  const root = rootOf(file);
  const named = failuresIn(file).filter(({ test }) => test.includes("::"));
  return root ? named.map(({ test }) => itemId({ root, test })) : [];
}

/** What a failing item says, with both sides of the comparison where there was one. */
export function messageOf(item: TestItem, found: Found | undefined): TestMessage {
  if (!found) {
    return new TestMessage(`${item.label} failed`);
  }
  const { expected, actual, message, file, line } = found;
  const shown =
    expected !== undefined && actual !== undefined
      ? TestMessage.diff(message, expected, actual)
      : new TestMessage(message);
  shown.location = new Location(file, new Position(line, 0));
  shown.contextValue = FAILURE;
  return shown;
}

function isOurs(diagnostic: Diagnostic): boolean {
  return diagnostic.source === SECTION;
}

/** A diagnostic's node id, whether or not it carries a link. */
function code(diagnostic: Diagnostic): string {
  const value = diagnostic.code;
  return String(typeof value === "object" ? value.value : value);
}

function asFailure(diagnostic: Diagnostic): Failure {
  return failure({
    message: diagnostic.message,
    code: code(diagnostic),
    line: diagnostic.range.start.line,
    stale: diagnostic.severity !== DiagnosticSeverity.Error,
  });
}
