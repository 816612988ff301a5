/** Answers, progress and log lines of fix jobs in; the fixes and what is done with them out. */

import {
  type Disposable,
  type TextDocumentChangeEvent,
  Uri,
  ViewColumn,
  window,
  workspace,
} from "vscode";
import type { FileDiff } from "./diffs.ts";
import {
  begun,
  ended,
  type Fix,
  more,
  type Phase,
  progressed,
  shortName,
  spokenOf,
  type Told,
  told,
} from "./fixes.ts";
import { type Node, openFixView } from "./fixView.ts";
import { outcomeOf } from "./outcome.ts";
import { openPages, pageUri, type Shown, shownAt } from "./pages.ts";
import { closeDiffs, PENDING, showDiff } from "./review.ts";
import { SECTION } from "./settings.ts";
import type { ProgressValue, Token } from "./status.ts";

export interface Server {
  /** A command of the server's; undefined where it failed, which the user then knows. */
  ask(command: string, argument: object): Promise<unknown>;
  /** The same, but a failure is nobody's business. */
  quietly(command: string, argument: object): Promise<unknown>;
}

export type Fixing = ReturnType<typeof openFixing>;

const KEPT = 20; // fixes in the view
const SETTLED = 600; // milliseconds without an edit, until a fix is looked at again
const ENDED: readonly Phase[] = ["ready", "moved", "refused", "stopped"];

type Chosen = Shown & { fix: Fix };

export function openFixing(server: Server) {
  let fixes: readonly Fix[] = [];
  const discarded = new Set<string>(); // jobs that are not offered any more
  const hushed = new Set<string>(); // jobs whose page is read, not shown
  const diffs = new Map<string, FileDiff[][]>(); // by job, then by candidate
  const messages = new Map<string, string>(); // a fix's last word, and its job
  let settling: NodeJS.Timeout | undefined;
  const pages = openPages();
  const view = openFixView(() => fixes);

  const find = (job: string) => fixes.find((fix) => fix.job === job);
  const change = (job: string, next: (fix: Fix) => Fix): void => {
    fixes = fixes.map((fix) => (fix.job === job ? next(fix) : fix));
    view.refresh();
  };
  const drop = async (job: string): Promise<void> => {
    fixes = fixes.filter((fix) => fix.job !== job);
    view.refresh();
    await closeDiffs(job);
    pages.drop(job);
    diffs.delete(job);
    for (const [text, owner] of messages) {
      if (owner === job) {
        messages.delete(text);
      }
    }
  };

  const finish = async (job: string): Promise<void> => {
    hushed.add(job);
    const over = await outcomeOf(server, job);
    if (!find(job)) {
      return; // applied, or thrown away, meanwhile
    }
    if (over) {
      diffs.set(job, over.diffs);
    } else {
      hushed.delete(job); // no page will come
    }
    const ending = over?.ending ?? { phase: "stopped", headline: "no result" };
    change(job, (fix) => ended(fix, ending));
  };

  /** Ask anew which candidates fit the text, as the user has just changed it. */
  const reconsider = async (): Promise<void> => {
    for (const { job, phase } of fixes) {
      if (phase === "ready" || phase === "moved") {
        await finish(job);
      }
    }
  };

  /** What a menu was opened on, else the latest in one of `phases`. */
  const chosen = (argument: unknown, ...phases: Phase[]): Chosen | undefined => {
    const shown =
      argument instanceof Uri
        ? shownAt(argument)
        : isNode(argument)
          ? { job: argument.fix.job, candidate: argument.candidate?.number ?? 0 }
          : undefined;
    const fix = shown ? find(shown.job) : latest(fixes, phases);
    if (!fix) {
      void window.showInformationMessage("Bonafix: there is no fix to choose from.");
      return undefined;
    }
    return { fix, job: fix.job, candidate: shown?.candidate ?? 0 };
  };

  return {
    /** A fix was asked for; the server's answer names its job. */
    begun(argument: unknown, answer: unknown): void {
      const { test, root, thinking } = argument as Record<string, string | undefined>;
      const job = (answer as { job?: string } | undefined)?.job;
      if (job && test && !find(job)) {
        const fresh = begun(job, test, root, thinking ?? effort());
        fixes = [...fixes, fresh].slice(-KEPT);
        view.refresh(); // a badge tells of it: to open the view would move the keyboard
      }
    },
    /** Progress goes by the job's own name. */
    onProgress(job: Token, value: ProgressValue): void {
      if (typeof job !== "string" || find(job)?.phase !== "running") {
        return;
      }
      const { kind, message } = value;
      if (kind === "report" && message) {
        change(job, (fix) => progressed(fix, message));
      } else if (kind === "end") {
        void finish(job);
      }
    },
    /** One of the server's own notifications of what happens in a job. */
    onEvent(event: Told): void {
      change(event.job, (fix) => told(fix, event));
      follow(event.job);
      if (event.kind === "finished" && event.outcome === "ready") {
        messages.set(`Bonafix: ${event.text}`, event.job);
      }
    },
    /** A fix that is ready may not fit any more, or fit again. */
    onEdit({ document: { uri } }: TextDocumentChangeEvent): void {
      if (fixes.some((fix) => touches(fix, uri))) {
        clearTimeout(settling);
        settling = setTimeout(() => void reconsider(), SETTLED);
      }
    },
    /** The server is gone, and every job with it. */
    lost(): void {
      const ending = {
        phase: "stopped",
        headline: "the server ended",
        candidates: [],
      } as const;
      for (const { job, phase } of fixes) {
        if (phase === "running" || phase === "ready") {
          change(job, (fix) => ended(fix, ending));
        }
      }
    },
    /** Whether a page that the server wants to show was only asked for to be read. */
    hushes: (uri: string) => {
      const job = [...hushed].find((one) => uri.includes(one));
      return job !== undefined && hushed.delete(job);
    },
    /** The ready fix that a message of the server's is about: an event has said so. */
    named(message: string): Fix | undefined {
      const job = messages.get(message);
      messages.delete(message);
      return job === undefined ? undefined : find(job);
    },
    async review(argument: unknown): Promise<void> {
      const at = chosen(argument, "ready");
      const one = at?.fix.candidates.find(({ number }) => number === at.candidate);
      const diff = at && diffs.get(at.job)?.[at.candidate];
      const root = at && rootOf(at.fix);
      const title = `${one?.label.replace(/^Apply /, "")} ${PENDING}`;
      const shown = one && diff && root && showDiff(pages, at, title, root, diff);
      if (at && !(await shown)) {
        const name = shortName(at.fix.test);
        const text = `Bonafix: no fix for ${name} fits the text as it is.`;
        void window.showInformationMessage(text);
      }
    },
    async apply(argument: unknown): Promise<void> {
      const at = chosen(argument, "ready");
      if (at) {
        const { job, candidate } = at;
        await closeDiffs(job); // before: a diff of changed files asks to be saved first
        const answer = await server.ask("bonafix.apply", { job, candidate });
        if ((answer as { sent?: boolean } | undefined)?.sent) {
          await drop(job);
        }
      }
    },
    async discard(argument: unknown): Promise<void> {
      const at = chosen(argument, ...ENDED);
      if (at?.fix.phase === "running") {
        void window.showInformationMessage("Bonafix: cancel it first, it is running.");
      } else if (at) {
        discarded.add(at.job);
        await drop(at.job);
      }
    },
    /** Whether what would apply a job's candidate is offered no more. */
    discarded: (job: string) => discarded.has(job),
    /** A message, which a screen reader reads out; the view itself is silent. */
    async tell(argument: unknown): Promise<void> {
      const at = chosen(argument, "running");
      if (at) {
        await window.showInformationMessage(`Bonafix: ${spokenOf(at.fix)}.`);
      }
    },
    async askAgain(argument: unknown): Promise<void> {
      const at = chosen(argument, ...ENDED);
      if (!at) {
        return;
      }
      if (workspace.getConfiguration(SECTION).get("engine") === "search") {
        const text = "Bonafix: the search engine knows no effort; Claude does.";
        void window.showInformationMessage(`${text} See the setting bonafix.engine.`);
        return;
      }
      const { test, root, effort: before } = at.fix;
      const asked = { test, engine: "claude", thinking: more(before) };
      await server.ask("bonafix.fix", root ? { ...asked, root } : asked);
    },
    async cancel(argument: unknown): Promise<void> {
      const at = chosen(argument, "running");
      if (at) {
        await server.ask("bonafix.cancel", { job: at.job });
      }
    },
    async showEvidence(argument: unknown): Promise<void> {
      const at = chosen(argument, ...ENDED);
      if (at) {
        await server.ask("bonafix.showEvidence", { job: at.job });
      }
    },
    async showThinking(argument: unknown): Promise<void> {
      const at = chosen(argument, "running");
      if (at) {
        follow(at.job);
        const document = await workspace.openTextDocument(thoughts(at.job));
        await window.showTextDocument(document, ViewColumn.Beside, true);
      }
    },
    dispose(): void {
      clearTimeout(settling);
      view.dispose();
      pages.dispose();
    },
  } satisfies Disposable & Record<string, unknown>;

  function follow(job: string): void {
    pages.put(thoughts(job), find(job)?.thinking ?? "");
  }
}

function thoughts(job: string): Uri {
  return pageUri({ job, candidate: 0 }, "/thinking.md");
}

/** The last in one of `phases`; else the last that can be decided on; else the last. */
function latest(fixes: readonly Fix[], phases: readonly Phase[]): Fix | undefined {
  const last = (wanted: readonly Phase[]) =>
    fixes.findLast((fix) => wanted.includes(fix.phase));
  return last(phases) ?? last(["ready"]) ?? fixes.at(-1);
}

function effort(): string {
  return workspace.getConfiguration(SECTION).get("thinking", "medium");
}

export function isNode(argument: unknown): argument is Node {
  return typeof argument === "object" && argument !== null && "fix" in argument;
}

function touches(fix: Fix, uri: Uri): boolean {
  const root = rootOf(fix);
  const paths = fix.candidates.flatMap(({ files }) => files);
  const own = (path: string) => root && Uri.joinPath(root, path).path === uri.path;
  return paths.some(own);
}

/** The folder that the fix's paths start at. */
function rootOf(fix: Fix): Uri | undefined {
  return fix.root ? Uri.parse(fix.root) : workspace.workspaceFolders?.[0]?.uri;
}
