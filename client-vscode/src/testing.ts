/** What the server's runs did in; VS Code's own Testing view out. */

import {
  type CancellationToken,
  commands,
  type Diagnostic,
  DiagnosticSeverity,
  type Disposable,
  extensions,
  Location,
  languages,
  Position,
  type TestItem,
  TestMessage,
  type TestRun,
  TestRunProfileKind,
  TestRunRequest,
  tests,
  Uri,
  window,
  workspace,
} from "vscode";
import { type Result, type Results, shownAs } from "./results.ts";
import { SECTION } from "./settings.ts";
import { gathering, leavesOf, openItems } from "./testItems.ts";
import {
  type Failure,
  failure,
  fileOf,
  itemId,
  placeOf,
  showsTests,
  withThoseAbove,
} from "./testTree.ts";
import { openWaiting } from "./waiting.ts";

export interface Wanted {
  readonly test: string;
  readonly root: string;
}

export interface Testing extends Disposable {
  /** What a run did, part by part. */
  told(results: Results): void;
}

/** Start a run; resolves once it is over and its results have been told. */
export type Run = (argument: object, token: CancellationToken) => Promise<void>;

/** The value that menus on a failure's message look for. */
const FAILURE = "bonafix.failure";
/** The context in which menus find the items below which a test fails. */
const FAILING = "bonafix.failing";
const DIAGNOSED = 2_000; // milliseconds until a failure's diagnostic must be there

/** Whether the settings, and the other extensions, leave the Testing view to us. */
export function wantsTestingView(): boolean {
  const choice = workspace.getConfiguration(SECTION).get("testingView", "auto");
  const theirs = workspace.getConfiguration("python.testing");
  return showsTests(choice, {
    installed: extensions.getExtension("ms-python.python") !== undefined,
    enabled: Boolean(theirs.get("pytestEnabled") || theirs.get("unittestEnabled")),
  });
}

export function openTesting(start: Run): Testing {
  const controller = tests.createTestController("bonafix", "Bonafix");
  const items = openItems(controller);
  const gathered = gathering();
  const diagnosed = openWaiting();
  const failing = new Map<string, Known>(); // by item
  const asked: TestRun[] = []; // by the user, and not over yet
  let queue = Promise.resolve();

  const mark = (): void => {
    const ids = [...failing.keys()].flatMap((id) => withThoseAbove(placeOf(id)));
    void commands.executeCommand("setContext", FAILING, [...new Set(ids)]);
  };

  const fail = (run: TestRun, item: TestItem, how: Known, found?: Found): void => {
    failing.set(item.id, { ...how, message: found?.message ?? "" });
    const milliseconds = 1_000 * how.seconds;
    if (how.shown === "errored") {
      run.errored(item, said(item, found), milliseconds);
    } else {
      run.failed(item, said(item, found), milliseconds);
    }
  };

  const report = (run: TestRun, root: string, result: Result, found?: Found): void => {
    const { seconds } = result;
    const file = items.of({ root, test: fileOf(result.test) });
    const item = items.at(root, result);
    const shown = shownAs(result.outcome);
    failing.delete(item.id);
    file.error = undefined;
    if (item === file) {
      item.error = found?.message ?? "cannot be collected"; // no test: it has no result
    } else if (shown === "passed") {
      run.passed(item, 1_000 * seconds);
    } else if (shown === "skipped") {
      run.skipped(item);
    } else if (shown) {
      fail(run, item, { shown, seconds, message: "" }, found);
    }
  };

  const take = async (results: Results): Promise<void> => {
    const root = Uri.parse(results.root).toString(); // as the editor spells it
    projects.add(root);
    const red = results.tests.filter(({ outcome }) => isRed(outcome));
    const all = () => {
      const shown = fresh(root); // once: it looks at all diagnostics
      return red.every(({ test }) => shown.has(test));
    };
    // Diagnostics come by a way of their own, and a little later.
    await diagnosed.until(all, DIAGNOSED);
    const found = fresh(root);
    const run = asked.at(-1);
    const own = run ?? controller.createTestRun(new TestRunRequest(), "Bonafix", false);
    for (const result of results.tests) {
      report(own, root, result, found.get(result.test));
    }
    if (!run) {
      own.end();
    }
    const known = gathered(results);
    if (known) {
      forget(root, known);
    }
    mark();
  };

  const forget = (root: string, known: ReadonlySet<string>): void => {
    items.keepOnly(root, known);
    for (const id of [...failing.keys()]) {
      const place = placeOf(id);
      if (place.root === root && !known.has(place.test)) {
        failing.delete(id);
      }
    }
  };

  /** Follow the text: stale results are taken back, new messages shown. */
  const follow = (file: Uri): void => {
    const root = rootOf(file);
    for (const one of root ? found(file) : []) {
      const id = itemId({ root: root ?? "", test: one.test });
      const known = failing.get(id);
      if (!root || !known) {
        continue; // its result is still to come
      }
      const item = items.of({ root, test: one.test });
      if (one.stale && known.message !== STALE) {
        failing.set(id, { ...known, message: STALE });
        controller.invalidateTestResults(item);
      } else if (!one.stale && known.message !== one.message) {
        const run = controller.createTestRun(new TestRunRequest(), "Bonafix", false);
        fail(run, item, known, one);
        run.end();
      }
    }
  };

  const execute = async (request: TestRunRequest, token: CancellationToken) => {
    const run = controller.createTestRun(request);
    asked.push(run);
    const wanted = request.include ?? [...controller.items].map(([, item]) => item);
    for (const item of wanted.flatMap(leavesOf)) {
      run.enqueued(item);
    }
    try {
      for (const argument of request.include ? wanted.map(argumentFor) : [{}]) {
        if (!token.isCancellationRequested) {
          await start(argument, token);
        }
      }
      await queue;
    } finally {
      asked.splice(asked.indexOf(run), 1);
      run.end();
    }
  };

  const listening = languages.onDidChangeDiagnostics(({ uris }) => {
    diagnosed.news();
    uris.forEach(follow);
  });
  controller.createRunProfile("Run", TestRunProfileKind.Run, execute, true);
  controller.refreshHandler = (token) => start({}, token);
  return {
    told(results) {
      // One that cannot be shown must not take those after it along.
      queue = queue
        .then(() => take(results))
        .catch((error) => {
          const text = `Bonafix: the results of a run could not be shown: ${error}`;
          void window.showWarningMessage(text);
        });
    },
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
  const red = new Set(languages.getDiagnostics().flatMap(([file]) => ids(file)));
  const below = item ? leavesOf(item) : [];
  return below.filter(({ id }) => red.has(id)).map(({ id }) => placeOf(id));
}

const STALE = "stale";

/** A failure as it is shown. */
interface Known {
  readonly shown: "failed" | "errored";
  readonly seconds: number;
  readonly message: string;
}

interface Found extends Failure {
  readonly file: Uri;
}

function argumentFor(item: TestItem): object {
  const place = placeOf(item.id);
  if (place.test === "") {
    return { root: place.root };
  }
  if (!place.test.includes("::") && item.uri) {
    return { uri: item.uri.toString() };
  }
  return place;
}

/** The failures that the editor shows for a folder, by test. */
function fresh(root: string): ReadonlyMap<string, Found> {
  const here = languages.getDiagnostics().filter(([file]) => rootOf(file) === root);
  const shown = here.flatMap(([file]) => found(file)).filter(({ stale }) => !stale);
  return new Map(shown.map((one) => [one.test, one]));
}

function found(file: Uri): Found[] {
  const ours = languages.getDiagnostics(file).filter(isOurs);
  return ours.map((one) => ({ ...asFailure(one), file }));
}

function ids(file: Uri): string[] {
  const root = rootOf(file);
  const named = found(file).filter(({ test }) => test.includes("::"));
  return root ? named.map(({ test }) => itemId({ root, test })) : [];
}

/** Projects that results came from: one folder may hold several. */
const projects = new Set<string>();

function rootOf(file: Uri): string | undefined {
  const uri = file.toString();
  const holding = [...projects].filter((one) => uri.startsWith(`${one}/`));
  const [inner] = holding.sort((a, b) => b.length - a.length);
  return inner ?? workspace.getWorkspaceFolder(file)?.uri.toString();
}

function said(item: TestItem, found: Found | undefined): TestMessage {
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

function isRed(outcome: string): boolean {
  const shown = shownAs(outcome);
  return shown === "failed" || shown === "errored";
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
