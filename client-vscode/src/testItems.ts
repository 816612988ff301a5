/** Places in the suite in; the items of the Testing view out. */

import { Range, type TestController, type TestItem, Uri, workspace } from "vscode";
import type { Result, Results } from "./results.ts";
import { fileOf, itemId, type Place, placeOf, steps } from "./testTree.ts";

export interface Items {
  /** The item of a test, made with all above it where it was not there. */
  of(place: Place): TestItem;
  /** The item of a test that ran, at its place in its file. */
  at(root: string, result: Result): TestItem;
  /** Take out what is below a folder and was not in these results of the whole suite. */
  keepOnly(root: string, tests: ReadonlySet<string>): void;
}

export function openItems(controller: TestController): Items {
  const of = ({ root, test }: Place): TestItem => {
    const file = Uri.joinPath(Uri.parse(root), fileOf(test));
    let found = topOf(controller, root);
    for (const { id, label } of steps(test)) {
      const items = found?.children ?? controller.items;
      const name = itemId({ root, test: id });
      const one = items.get(name) ?? controller.createTestItem(name, label, file);
      items.add(one);
      found = one;
    }
    if (!found) {
      throw new Error(`no steps lead to ${test}`); // a node id has one at least
    }
    return found;
  };

  return {
    of,
    at(root, { test, line }) {
      const item = of({ root, test });
      item.range = new Range(line, 0, line, 0);
      return item;
    },
    keepOnly(root, tests) {
      const kept = new Set([...tests].map((test) => itemId({ root, test })));
      prune(controller.items, root, kept);
    },
  };
}

/** The tests below an item, or the item itself where it is one. */
export function leavesOf(item: TestItem): TestItem[] {
  const below = [...item.children].map(([, child]) => child);
  return below.length ? below.flatMap(leavesOf) : [item];
}

/** The folder's own item, where the window has several folders; else none. */
function topOf(controller: TestController, root: string): TestItem | undefined {
  if ((workspace.workspaceFolders?.length ?? 0) < 2) {
    return undefined;
  }
  const uri = Uri.parse(root);
  const id = itemId({ root, test: "" });
  const label = workspace.getWorkspaceFolder(uri)?.name ?? uri.path;
  const top = controller.items.get(id) ?? controller.createTestItem(id, label, uri);
  controller.items.add(top);
  return top;
}

/** True where nothing is left below. */
function prune(
  items: TestController["items"],
  root: string,
  kept: ReadonlySet<string>,
): boolean {
  for (const [id, item] of [...items]) {
    const ours = placeOf(id).root === root;
    if (ours && prune(item.children, root, kept) && !kept.has(id)) {
      items.delete(id);
    }
  }
  return items.size === 0;
}

/** The results of one run as its parts come in; all its tests with the last one. */
export function gathering() {
  const parts = new Map<string, Set<string>>(); // by root
  return (results: Results): ReadonlySet<string> | undefined => {
    const { root, part } = results;
    const known = part === 1 ? new Set<string>() : (parts.get(root) ?? new Set());
    for (const { test } of results.tests) {
      known.add(test);
    }
    parts.set(root, known);
    return results.whole && part === results.parts ? known : undefined;
  };
}
