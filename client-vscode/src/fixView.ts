/** Fixes in; the tree of the view "Bonafix Fixes" out. */

import {
  type Disposable,
  EventEmitter,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  window,
} from "vscode";
import type { Candidate } from "./candidates.ts";
import type { OwnCommand } from "./commands.ts";
import { type Fix, type Stage, shortName } from "./fixes.ts";

export interface Node {
  readonly fix: Fix;
  readonly stage?: Stage;
  readonly candidate?: Candidate;
  readonly line?: { text: string; icon: string; command?: OwnCommand };
}

export const FIX_VIEW = "bonafix.fixes";

const PHASES: Readonly<Record<Fix["phase"], ThemeIcon>> = {
  running: new ThemeIcon("loading~spin"),
  ready: new ThemeIcon("verified", new ThemeColor("testing.iconPassed")),
  moved: new ThemeIcon("warning", new ThemeColor("testing.iconQueued")),
  refused: new ThemeIcon("circle-slash", new ThemeColor("testing.iconFailed")),
  stopped: new ThemeIcon("debug-stop"),
};

const MARKS: Readonly<Record<Stage["result"], ThemeIcon>> = {
  open: new ThemeIcon("circle-large-outline", new ThemeColor("testing.iconUnset")),
  running: new ThemeIcon("loading~spin"),
  pass: new ThemeIcon("pass", new ThemeColor("testing.iconPassed")),
  fail: new ThemeIcon("error", new ThemeColor("testing.iconFailed")),
  inconclusive: new ThemeIcon("question", new ThemeColor("testing.iconQueued")),
  skipped: new ThemeIcon("debug-step-over", new ThemeColor("testing.iconSkipped")),
};

/** The latest fix first; only that one is unfolded. */
export function openFixView(fixes: () => readonly Fix[]): Disposable & {
  refresh(): void;
} {
  const changed = new EventEmitter<undefined>();
  const view = window.createTreeView<Node>(FIX_VIEW, {
    treeDataProvider: {
      onDidChangeTreeData: changed.event,
      getChildren: (node) =>
        node ? children(node) : [...fixes()].reverse().map((fix) => ({ fix })),
      getTreeItem: (node) => item(node, node.fix === fixes().at(-1)),
    },
  });
  return {
    refresh() {
      const running = fixes().filter((fix) => fix.phase === "running").length;
      view.badge = running
        ? { value: running, tooltip: `Bonafix is working on ${running}` }
        : undefined;
      changed.fire(undefined);
    },
    dispose() {
      view.dispose();
      changed.dispose();
    },
  };
}

function isPart({ stage, candidate, line }: Node): boolean {
  return Boolean(stage || candidate || line);
}

function children(node: Node): Node[] {
  const { fix } = node;
  if (isPart(node)) {
    return [];
  }
  const thought = fix.thinking.split("\n").at(-1);
  return [
    ...fix.candidates.map((one) => ({ fix, candidate: one })),
    ...(fix.spent ? [{ fix, line: { text: fix.spent, icon: "credit-card" } }] : []),
    ...fix.refusals.map((text) => ({ fix, line: { text, icon: "circle-slash" } })),
    ...(thought ? [{ fix, line: thinking(thought) }] : []),
    ...fix.stages.map((one) => ({ fix, stage: one })),
    ...fix.facts.map((text) => ({ fix, line: { text, icon: "info" } })),
  ];
}

function thinking(thought: string): NonNullable<Node["line"]> {
  const text = `the model's words: ${thought}`;
  return { text, icon: "comment", command: "bonafix.client.showThinking" };
}

function item(node: Node, latest: boolean): TreeItem {
  if (node.candidate) {
    return ofCandidate(node, node.candidate);
  }
  if (node.stage) {
    return ofStage(node.fix, node.stage);
  }
  return node.line ? ofLine(node, node.line) : ofFix(node.fix, latest);
}

function ofFix(fix: Fix, latest: boolean): TreeItem {
  const { Collapsed, Expanded } = TreeItemCollapsibleState;
  const shown = new TreeItem(shortName(fix.test), latest ? Expanded : Collapsed);
  shown.id = fix.job;
  shown.description = fix.headline;
  shown.tooltip = `${fix.test}\n${fix.headline}`;
  shown.iconPath = PHASES[fix.phase];
  shown.contextValue = `fix.${fix.phase}`;
  // A tick for "verified" alone: what is merely plausible must not look alike.
  if (fix.phase === "ready" && !fix.candidates.find(({ fits }) => fits)?.verified) {
    shown.iconPath = new ThemeIcon("warning", new ThemeColor("testing.iconQueued"));
  }
  return spoken(shown, `${shown.label}, ${fix.phase}: ${fix.headline}`);
}

function ofStage(fix: Fix, stage: Stage): TreeItem {
  const shown = new TreeItem(stage.name);
  shown.id = `${fix.job}/${stage.name}`;
  shown.description = stage.summary;
  shown.tooltip = `${stage.name}: ${stage.result}\n${stage.summary}`;
  shown.iconPath = MARKS[stage.result];
  return spoken(shown, `${stage.name}: ${stage.result}. ${stage.summary}`);
}

function ofCandidate(node: Node, candidate: Candidate): TreeItem {
  const { label, by, fits, verified, missing, files, reason, number } = candidate;
  const shown = new TreeItem(label.replace(/^Apply /, ""));
  const stands = fits ? "Enter shows the diff; nothing is applied." : reason;
  const lacking = missing.map((one) => `not shown: ${one}`);
  shown.id = `${node.fix.job}/candidate/${number}`;
  shown.contextValue = fits ? "candidate" : "candidate.moved";
  shown.description = by;
  shown.iconPath = new ThemeIcon(verified ? "verified" : "question");
  shown.tooltip = [`${number + 1}. ${label}`, by, files.join(", "), ...lacking, stands]
    .filter((line) => line)
    .join("\n");
  const command: OwnCommand = "bonafix.client.reviewFix";
  shown.command = { title: "Look at the Diff", command, arguments: [node] };
  const count = `candidate ${number + 1} of ${node.fix.candidates.length}`;
  return spoken(shown, `${count}, ${label}, ${by}. ${stands}`);
}

function ofLine(node: Node, line: NonNullable<Node["line"]>): TreeItem {
  const shown = new TreeItem(line.text);
  shown.iconPath = new ThemeIcon(line.icon);
  shown.tooltip = line.text;
  if (line.command) {
    shown.command = { title: "Show", command: line.command, arguments: [node] };
  }
  return shown;
}

function spoken(shown: TreeItem, label: string): TreeItem {
  shown.accessibilityInformation = { label };
  return shown;
}
