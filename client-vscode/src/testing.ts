/** What the server's runs did in; VS Code's own Testing view out. */

import {
  type CancellationToken,
  type Disposable,
  extensions,
  languages,
  type TestItem,
  type TestRun,
  TestRunProfileKind,
  TestRunRequest,
  tests,
  Uri,
  window,
  workspace,
} from "vscode";
import { isRed, type Results, shownAs } from "./results.ts";
import { SECTION } from "./settings.ts";
import { failingIn, failuresBelow, noteProject } from "./testFailures.ts";
import { gathering, leavesOf, openItems } from "./testItems.ts";
import { openReports } from "./testReports.ts";
import { placeOf, showsTests } from "./testTree.ts";
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

/** A run that the user asked for, and the items that it has not told of yet. */
interface Asked {
  readonly run: TestRun;
  readonly open: Map<string, TestItem>;
}

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
  const reports = openReports(controller, items);
  const gathered = gathering();
  const diagnosed = openWaiting();
  const asked: Asked[] = []; // and not over yet
  let queue = Promise.resolve();

  const take = async (results: Results): Promise<void> => {
    const root = Uri.parse(results.root).toString(); // as the editor spells it
    noteProject(root);
    const red = results.tests.filter(({ outcome }) => isRed(shownAs(outcome)));
    const all = () => {
      const shown = fresh(root); // once: it looks at all diagnostics
      return red.every(({ test }) => shown.has(test));
    };
    // Diagnostics come by a way of their own, and a little later.
    await diagnosed.until(all, DIAGNOSED);
    const found = fresh(root);
    const asker = asked.at(-1);
    const run =
      asker?.run ?? controller.createTestRun(new TestRunRequest(), "Bonafix", false);
    for (const result of results.tests) {
      const item = reports.report(run, root, result, found.get(result.test));
      asker?.open.delete(item.id);
    }
    if (!asker) {
      run.end();
    }
    const known = gathered(results);
    if (known) {
      reports.keepOnly(root, known);
    }
    reports.mark();
  };

  const execute = async (request: TestRunRequest, token: CancellationToken) => {
    const run = controller.createTestRun(request);
    const wanted = request.include ?? [...controller.items].map(([, item]) => item);
    const leaves = wanted.flatMap(leavesOf);
    const one = { run, open: new Map(leaves.map((item) => [item.id, item])) };
    asked.push(one);
    for (const item of leaves) {
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
      asked.splice(asked.indexOf(one), 1);
      run.end();
      // The editor calls all that a run was to tell, and did not, skipped.
      reports.again([...one.open.values()]);
    }
  };

  const listening = languages.onDidChangeDiagnostics(({ uris }) => {
    diagnosed.news();
    uris.forEach(reports.follow);
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
  const red = new Set(languages.getDiagnostics().flatMap(([file]) => failingIn(file)));
  const below = item ? leavesOf(item) : [];
  return below.filter(({ id }) => red.has(id)).map(({ id }) => placeOf(id));
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

/** The failures in a folder that are of the text as it is now. */
function fresh(root: string): ReturnType<typeof failuresBelow> {
  return new Map([...failuresBelow(root)].filter(([, { stale }]) => !stale));
}
