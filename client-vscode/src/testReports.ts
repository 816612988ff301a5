/** What tests came to in; the marks of the Testing view out, which can be told again. */

import {
  commands,
  type TestController,
  type TestItem,
  type TestRun,
  TestRunRequest,
  type Uri,
} from "vscode";
import { isRed, type Result, type Shown, shownAs } from "./results.ts";
import {
  type Found,
  failuresBelow,
  failuresIn,
  messageOf,
  rootOf,
} from "./testFailures.ts";
import type { Items } from "./testItems.ts";
import { fileOf, itemId, placeOf, withThoseAbove } from "./testTree.ts";

export interface Reports {
  /** Show what a test came to; its item. */
  report(run: TestRun, root: string, result: Result, found?: Found): TestItem;
  /** Show what these last came to, in a run of its own. */
  again(items: readonly TestItem[]): void;
  /** Follow the text: stale results are taken back, new messages shown. */
  follow(file: Uri): void;
  /** Of a folder, these tests are all that there are. */
  keepOnly(root: string, known: ReadonlySet<string>): void;
  /** Tell the menus where something fails. */
  mark(): void;
}

/** A result as it is shown. */
interface Known {
  readonly shown: Shown;
  readonly seconds: number;
  readonly message: string;
}

/** The context in which menus find the items below which a test fails. */
const FAILING = "bonafix.failing";
const STALE = "stale";

export function openReports(controller: TestController, items: Items): Reports {
  const last = new Map<string, Known>(); // by item

  const tell = (run: TestRun, item: TestItem, how: Known, found?: Found): void => {
    last.set(item.id, { ...how, message: found?.message ?? "" });
    const milliseconds = 1_000 * how.seconds;
    if (how.shown === "passed") {
      run.passed(item, milliseconds);
    } else if (how.shown === "skipped") {
      run.skipped(item);
    } else if (how.shown === "errored") {
      run.errored(item, messageOf(item, found), milliseconds);
    } else {
      run.failed(item, messageOf(item, found), milliseconds);
    }
  };

  const within = (told: readonly TestItem[], tells: (run: TestRun) => void): void => {
    const run = controller.createTestRun(new TestRunRequest(told), "Bonafix", false);
    tells(run);
    run.end();
  };

  const takeBack = (item: TestItem, how: Known): void => {
    last.set(item.id, { ...how, message: STALE });
    controller.invalidateTestResults(item);
  };

  return {
    report(run, root, result, found) {
      const item = items.at(root, result);
      const file = items.of({ root, test: fileOf(result.test) });
      const shown = shownAs(result.outcome);
      last.delete(item.id);
      file.error = undefined;
      if (item === file) {
        item.error = found?.message ?? "cannot be collected"; // no test: no result
      } else if (shown) {
        tell(run, item, { shown, seconds: result.seconds, message: "" }, found);
      }
      return item;
    },
    again(wanted) {
      const known = wanted.filter(({ id }) => last.has(id));
      const [first] = known;
      if (!first) {
        return;
      }
      const failures = failuresBelow(placeOf(first.id).root);
      within(known, (run) => {
        for (const item of known) {
          const how = last.get(item.id) as Known;
          tell(run, item, how, failures.get(placeOf(item.id).test));
          if (how.message === STALE) {
            takeBack(item, how);
          }
        }
      });
    },
    follow(file) {
      const root = rootOf(file);
      for (const one of root ? failuresIn(file) : []) {
        const id = itemId({ root: root ?? "", test: one.test });
        const known = last.get(id);
        if (!root || !known || !isRed(known.shown)) {
          continue; // its result is still to come
        }
        const item = items.of({ root, test: one.test });
        if (one.stale && known.message !== STALE) {
          takeBack(item, known);
        } else if (!one.stale && known.message !== one.message) {
          within([item], (run) => tell(run, item, known, one));
        }
      }
    },
    keepOnly(root, known) {
      items.keepOnly(root, known);
      for (const id of [...last.keys()]) {
        const place = placeOf(id);
        if (place.root === root && !known.has(place.test)) {
          last.delete(id);
        }
      }
    },
    mark() {
      const red = [...last].filter(([, { shown }]) => isRed(shown));
      const ids = red.flatMap(([id]) => withThoseAbove(placeOf(id)));
      void commands.executeCommand("setContext", FAILING, [...new Set(ids)]);
    },
  };
}
