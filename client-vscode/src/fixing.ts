/** Answers, progress and log lines of fix jobs in; the fixes and what is done with them out. */

import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import {
  type Diagnostic,
  type Disposable,
  languages,
  Uri,
  ViewColumn,
  window,
  workspace,
} from "vscode";
import { CodeActionRequest, type LanguageClient } from "vscode-languageclient/node";
import { type FileDiff, pageDiffs } from "./diffs.ts";
import {
  begun,
  type Candidate,
  ended,
  type Fix,
  logged,
  more,
  progressed,
  shortName,
} from "./fixes.ts";
import { type Node, openFixView } from "./fixView.ts";
import { openPages, pageUri, type Shown, shownAt } from "./pages.ts";
import { headline, receiptTold } from "./receipt.ts";
import { closeDiffs, PENDING, showDiff } from "./review.ts";
import { SECTION } from "./settings.ts";
import type { ProgressValue, Token } from "./status.ts";

export interface Server {
  client(): Promise<LanguageClient | undefined>;
  /** A command of the server's; undefined where it failed, which the user then knows. */
  ask(command: string, argument: object): Promise<unknown>;
  /** The same, but a failure is nobody's business. */
  quietly(command: string, argument: object): Promise<unknown>;
}

export type Fixing = ReturnType<typeof openFixing>;

const KEPT = 20; // fixes in the view
const TRIES = 3; // to learn how a job ended that has just said its last
const PAUSE = 200; // milliseconds between them

export function openFixing(server: Server) {
  let fixes: readonly Fix[] = [];
  const tokens = new Map<Token, string>(); // of progress -> job
  const hushed = new Set<string>(); // jobs whose page is read, not shown
  const diffs = new Map<string, FileDiff[][]>(); // by job, then by candidate
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
  };

  const finish = async (job: string): Promise<void> => {
    const page = await evidence(server, job, hushed);
    if (!page) {
      change(job, (fix) => ended(fix, { phase: "stopped", headline: "no result" }));
      return;
    }
    const told = receiptTold(await textOf(page.receipt));
    const fix = find(job);
    const candidates = fix ? await ready(server, fix) : [];
    diffs.set(job, pageDiffs(page.markdown));
    change(job, (one) =>
      ended(one, {
        phase: candidates.length ? "ready" : "refused",
        headline: headline(page.markdown),
        candidates,
        ...(told && { stages: told.stages, facts: told.facts }),
        ...(told?.effort && { effort: told.effort }),
      }),
    );
  };

  const chosen = (argument: unknown): (Shown & { fix: Fix }) | undefined => {
    const shown =
      argument instanceof Uri
        ? shownAt(argument)
        : isNode(argument)
          ? { job: argument.fix.job, candidate: argument.candidate?.number ?? 0 }
          : undefined;
    const fix = shown ? find(shown.job) : latest(fixes);
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
    onProgress(token: Token, value: ProgressValue): void {
      const job = tokens.get(token);
      if (value.kind === "begin") {
        const taken = new Set(tokens.values());
        const fix = fixes.find(
          (one) =>
            one.phase === "running" &&
            !taken.has(one.job) &&
            value.title?.includes(shortName(one.test)),
        );
        if (fix) {
          tokens.set(token, fix.job);
        }
      } else if (job && value.kind === "report" && value.message) {
        const { message } = value;
        change(job, (fix) => progressed(fix, message));
      } else if (job && value.kind === "end") {
        tokens.delete(token);
        void finish(job);
      }
    },
    /** The server works on one fix at a time, so its log speaks of the first. */
    onLog(line: string): void {
      const fix = fixes.find((one) => one.phase === "running");
      if (fix) {
        change(fix.job, (one) => logged(one, line));
        follow(fix.job);
      }
    },
    /** Whether a page that the server wants to show is only being read. */
    hushes: (uri: string) => [...hushed].some((job) => uri.includes(job)),
    /** The fix that a message of the server's is about. */
    named: (message: string) =>
      [...fixes]
        .reverse()
        .find((fix) => message.includes(`fix for ${shortName(fix.test)} is ready`)),
    async review(argument: unknown): Promise<void> {
      const at = chosen(argument);
      const offered = at ? await ready(server, at.fix) : [];
      const one = offered.find(({ number }) => number === at?.candidate);
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
      const at = chosen(argument);
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
      const at = chosen(argument);
      if (at) {
        await drop(at.job);
      }
    },
    async askAgain(argument: unknown): Promise<void> {
      const at = chosen(argument);
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
      const at = chosen(argument);
      if (at) {
        await server.ask("bonafix.cancel", { job: at.job });
      }
    },
    async showEvidence(argument: unknown): Promise<void> {
      const at = chosen(argument);
      if (at) {
        await server.ask("bonafix.showEvidence", { job: at.job });
      }
    },
    async showThinking(argument: unknown): Promise<void> {
      const at = chosen(argument);
      if (at) {
        follow(at.job);
        const document = await workspace.openTextDocument(thoughts(at.job));
        await window.showTextDocument(document, ViewColumn.Beside, true);
      }
    },
    dispose(): void {
      view.dispose();
      pages.dispose();
    },
  } satisfies Disposable & Record<string, unknown>;

  function follow(job: string): void {
    pages.put(thoughts(job), find(job)?.thinking ?? "");
  }
}

function thoughts(job: string): Uri {
  return pageUri({ job, candidate: 0 }, "thinking.md");
}

/** What can be decided on first; else what was there last. */
function latest(fixes: readonly Fix[]): Fix | undefined {
  return fixes.findLast((fix) => fix.phase === "ready") ?? fixes.at(-1);
}

function effort(): string {
  return workspace.getConfiguration(SECTION).get("thinking", "medium");
}

function isNode(argument: unknown): argument is Node {
  return typeof argument === "object" && argument !== null && "fix" in argument;
}

/** The page of a job that has ended; undefined where it ended without a result. */
async function evidence(
  server: Server,
  job: string,
  hushed: Set<string>,
): Promise<{ markdown: string; receipt: string } | undefined> {
  hushed.add(job);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await server.quietly("bonafix.showEvidence", { job });
    if (answer) {
      setTimeout(() => hushed.delete(job), 10 * PAUSE); // the page comes after the answer
      return answer as { markdown: string; receipt: string };
    }
    await pause(PAUSE);
  }
  hushed.delete(job);
  return undefined; // it was cancelled, or it failed
}

/** What may be applied to the text as it is now: the server's own actions say it. */
async function ready(server: Server, fix: Fix): Promise<Candidate[]> {
  const client = await server.client();
  const [uri, diagnostic] = shownFor(fix.test);
  if (!client || !uri || !diagnostic) {
    return [];
  }
  const convert = client.code2ProtocolConverter;
  const answers = await client.sendRequest(CodeActionRequest.type, {
    textDocument: { uri: convert.asUri(uri) },
    range: convert.asRange(diagnostic.range),
    context: { diagnostics: [convert.asDiagnostic(diagnostic)] },
  });
  return (answers ?? []).flatMap(({ title, command }) => {
    const [argument] = typeof command === "object" ? (command.arguments ?? []) : [];
    const applies = typeof command === "object" && command.command === "bonafix.apply";
    if (!applies || argument?.job !== fix.job) {
      return [];
    }
    const verified = /\bverified\b/.test(title);
    const label = title.replace(/^Alternative: /, "");
    return [{ number: argument.candidate, label, verified }];
  });
}

/** The folder that the fix's paths start at. */
function rootOf(fix: Fix): Uri | undefined {
  const [uri] = shownFor(fix.test);
  const folder = uri && workspace.getWorkspaceFolder(uri)?.uri;
  return fix.root ? Uri.parse(fix.root) : folder;
}

function shownFor(test: string): [Uri?, Diagnostic?] {
  for (const [uri, diagnostics] of languages.getDiagnostics()) {
    const found = diagnostics.find(
      (one) => one.source === SECTION && code(one) === test,
    );
    if (found) {
      return [uri, found];
    }
  }
  return [];
}

/** A diagnostic's node id, whether or not it carries a link. */
export function code(diagnostic: Diagnostic): string {
  const value = diagnostic.code;
  return String(typeof value === "object" ? value.value : value);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return ""; // no receipt was kept: the page says what there is to say
  }
}
