/** What the server's runs show in; VS Code's own Testing view out. */

import {
  type CancellationToken,
  type Diagnostic,
  DiagnosticSeverity,
  type Disposable,
  extensions,
  Location,
  languages,
  Position,
  Range,
  type TestItem,
  TestMessage,
  type TestRun,
  TestRunProfileKind,
  TestRunRequest,
  tests,
  type Uri,
  workspace,
} from "vscode";
import { code } from "./fixing.ts";
import { SECTION } from "./settings.ts";
import { changes, type Failure, failure, steps } from "./testTree.ts";

export interface Runs {
  /** Start a run; resolves once it is over and what failed is shown. */
  run(argument: object, token: CancellationToken): Promise<void>;
  /** Whether what is shown is the server's word, and not its absence. */
  alive(): boolean;
}

export interface Wanted {
  readonly test: string;
  readonly root?: string;
}

/** The value that menus on a failure's message look for. */
const FAILURE = "bonafix.failure";
const SETTLED = 150; // milliseconds; diagnostics of one run come file by file

/** Two trees of the same tests help nobody: `auto` leaves it to ms-python's. */
export function wantsTestingView(): boolean {
  const choice = workspace.getConfiguration(SECTION).get("testingView", "auto");
  if (choice !== "auto") {
    return choice === "on";
  }
  const theirs = workspace.getConfiguration("python.testing");
  const shown = theirs.get("pytestEnabled") || theirs.get("unittestEnabled");
  return !(extensions.getExtension("ms-python.python") && shown);
}

export function openTesting(runs: Runs): Disposable {
  const controller = tests.createTestController("bonafix", "Bonafix");
  const failures = new Map<string, readonly Failure[]>(); // by file's URI

  const itemFor = (file: Uri, test: string): TestItem => {
    let items = controller.items;
    let found: TestItem | undefined;
    for (const { id, label } of steps(test)) {
      const one = items.get(id) ?? controller.createTestItem(id, label, file);
      items.add(one);
      items = one.children;
      found = one;
    }
    if (!found) {
      throw new Error(`no steps lead to ${test}`); // a node id has one at least
    }
    return found;
  };

  const show = (file: Uri): void => {
    const key = file.toString();
    const before = failures.get(key) ?? [];
    const now = languages.getDiagnostics(file).filter(isOurs).map(asFailure);
    if (!runs.alive() || (before.length === 0 && now.length === 0)) {
      return;
    }
    failures.set(key, now);
    const { failed, gone, stale } = changes(before, now);
    for (const one of now) {
      itemFor(file, one.test).range = lineRange(one.line);
    }
    for (const test of stale) {
      controller.invalidateTestResults(itemFor(file, test));
    }
    if (failed.length + gone.length > 0) {
      const run = controller.createTestRun(new TestRunRequest(), "Bonafix", false);
      report(run, file, failed);
      for (const test of gone) {
        run.passed(itemFor(file, test));
      }
      run.end();
    }
  };

  const report = (run: TestRun, file: Uri, failed: readonly Failure[]): void => {
    for (const one of failed) {
      run.failed(itemFor(file, one.test), said(file, one));
    }
  };

  const execute = async (request: TestRunRequest, token: CancellationToken) => {
    const run = controller.createTestRun(request);
    const asked = request.include ?? [...controller.items].map(([, item]) => item);
    const leaves = asked.flatMap(leavesOf);
    leaves.forEach((item) => {
      run.started(item);
    });
    try {
      for (const argument of request.include ? asked.map(argumentFor) : [{}]) {
        await runs.run(argument, token);
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLED));
      settle(run, leaves, token.isCancellationRequested);
    } finally {
      run.end();
    }
  };

  const settle = (run: TestRun, leaves: TestItem[], cancelled: boolean): void => {
    for (const item of leaves) {
      const known = item.uri ? failures.get(item.uri.toString()) : undefined;
      const failed = known?.find((one) => one.test === item.id);
      if (item.uri && failed) {
        run.failed(item, said(item.uri, failed));
      } else if (cancelled) {
        run.skipped(item);
      } else {
        run.passed(item);
      }
    }
  };

  const listening = languages.onDidChangeDiagnostics(({ uris }) => uris.forEach(show));
  controller.createRunProfile("Run", TestRunProfileKind.Run, execute, true);
  controller.refreshHandler = (token) => runs.run({}, token);
  for (const [file] of languages.getDiagnostics()) {
    show(file);
  }
  return {
    dispose() {
      listening.dispose();
      controller.dispose();
    },
  };
}

/** The failing tests that a menu of the Testing view was opened on. */
export function wantedTests(argument: unknown): Wanted[] {
  const inMessage = (argument as { test?: TestItem } | undefined)?.test;
  const item = inMessage ?? (argument as TestItem | undefined);
  return item ? leavesOf(item).map(wanted) : [];
}

function wanted(item: TestItem): Wanted {
  const folder = item.uri ? workspace.getWorkspaceFolder(item.uri) : undefined;
  return folder ? { test: item.id, root: folder.uri.toString() } : { test: item.id };
}

function argumentFor(item: TestItem): object {
  if (!item.id.includes("::") && item.uri) {
    return { uri: item.uri.toString() };
  }
  return wanted(item);
}

function leavesOf(item: TestItem): TestItem[] {
  const below = [...item.children].map(([, child]) => child);
  return below.length ? below.flatMap(leavesOf) : [item];
}

function said(file: Uri, failed: Failure): TestMessage {
  const { expected, actual, message } = failed;
  const shown =
    expected !== undefined && actual !== undefined
      ? TestMessage.diff(message, expected, actual)
      : new TestMessage(message);
  shown.location = new Location(file, new Position(failed.line, 0));
  shown.contextValue = FAILURE;
  return shown;
}

function lineRange(line: number): Range {
  return new Range(line, 0, line, 0);
}

function isOurs(diagnostic: Diagnostic): boolean {
  return diagnostic.source === SECTION && code(diagnostic).includes("::");
}

function asFailure(diagnostic: Diagnostic): Failure {
  return failure({
    message: diagnostic.message,
    code: code(diagnostic),
    line: diagnostic.range.start.line,
    stale: diagnostic.severity !== DiagnosticSeverity.Error,
  });
}
