/** A wish to run tests in; the end of what the server makes of it out. */

import type { CancellationToken } from "vscode";
import type { Results } from "./results.ts";
import type { Session } from "./session.ts";
import { openWaiting } from "./waiting.ts";

export interface RunServer {
  session(): Session | undefined;
  ask(command: string, argument: object): Promise<unknown>;
}

export interface Runs {
  /** Start a run; resolves once it is over and has told all that it has to tell. */
  run(argument: object, token: CancellationToken): Promise<void>;
  /** The server's state or work has changed. */
  news(): void;
  told(results: Results): void;
}

const STARTS = 10_000; // milliseconds: it first ends what it replaces
const REPLACED = 1_000; // until the run that has replaced another shows itself
const KEPT = 50; // jobs

/**
 * A save in the middle of a run makes the server begin a newer one, which takes over
 * what was asked for: so it is waited for the results, and not for the job alone.
 */
export function openRuns(server: RunServer): Runs {
  const waiting = openWaiting();
  let ended: readonly string[] = [];

  const works = () => [...(server.session()?.works().values() ?? [])];
  const running = () => works().some(({ title }) => /^running\b/.test(title));

  const over = async (jobs: readonly string[], cancelled: () => boolean) => {
    const told = () => jobs.every((job) => ended.includes(job));
    let patience = STARTS;
    do {
      await waiting.until(() => running() || told() || cancelled(), patience);
      await waiting.until(() => !running() || told() || cancelled());
      patience = REPLACED;
    } while (
      !told() &&
      !cancelled() &&
      (await waiting.until(() => running() || told(), patience))
    );
  };

  return {
    async run(argument, token) {
      const answer = (await server.ask("bonafix.runTests", argument)) ?? {};
      const { job, jobs } = answer as { job?: string; jobs?: string[] };
      const named = jobs ?? (job ? [job] : []);
      if (named.length === 0) {
        return; // it was refused, and that was said
      }
      const cancelling = token.onCancellationRequested(async () => {
        for (const one of named) {
          await server.ask("bonafix.cancel", { job: one });
        }
        waiting.news();
      });
      await over(named, () => token.isCancellationRequested);
      cancelling.dispose();
    },
    news: waiting.news,
    told({ job, part, parts }) {
      if (part === parts) {
        ended = [...ended.slice(-KEPT), job];
        waiting.news();
      }
    },
  };
}
