/** What may be a Python in; the one that runs the bundled server out. */

import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { findExecutable } from "./executable.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The versions that the extension carries compiled modules for, the newest first. */
export const VERSIONS = ["3.14", "3.13", "3.12", "3.11"] as const;

/** How long a candidate may take to say what it is, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Isolated, and without the packages of its environment.
 *
 * So even a project's own interpreter will do: none of its packages, `.pth` files or
 * `PYTHON*` variables, and no file of the working folder, gets into the server. The
 * interpreter itself is the project's, but so it is when it runs the tests, and nothing
 * of this happens in a workspace that is not trusted.
 */
export const ISOLATED = ["-I", "-S"] as const;

export interface Candidate {
  readonly command: readonly string[];
  /** Where it comes from, for people. */
  readonly why: string;
}

export interface ServerPython extends Candidate {
  readonly executable: string;
  readonly version: string;
}

type Told = Pick<ServerPython, "executable" | "version">;

/** A candidate that will not do, and what it said. */
export interface Refused extends Candidate {
  readonly reason: string;
}

export interface Found {
  readonly python: ServerPython | undefined;
  readonly refused: readonly Refused[];
}

/** Runs a command: what it wrote, or an error with what it complained about. */
export type Run = (command: readonly string[]) => Promise<string>;

/** Tells what a candidate is; an `Error` says why it will not do. */
export type Ask = (candidate: Candidate) => Promise<ServerPython>;

/** Those on the search path; the editor's own come before them. */
export function onPath(platform: NodeJS.Platform = process.platform): Candidate[] {
  const names = [...VERSIONS.map((version) => `python${version}`), "python3", "python"];
  const commands = names.map((name) => [name]);
  const all = platform === "win32" ? [["py", "-3"], ...commands] : commands;
  return all.map((command) => ({ command, why: "on PATH" }));
}

/** The first that can run the server, and all that were asked before it. */
export async function firstThatRuns(
  candidates: Iterable<Candidate> | AsyncIterable<Candidate>,
  ask: Ask,
): Promise<Found> {
  const refused: Refused[] = [];
  for await (const candidate of candidates) {
    try {
      return { python: await ask(candidate), refused };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      refused.push({ ...candidate, reason });
    }
  }
  return { python: undefined, refused };
}

/** What uv knows of: pythons that it has installed are on no search path. */
export async function* byUv(run: Run): AsyncGenerator<Candidate> {
  const [newest, oldest] = [VERSIONS[0], VERSIONS.at(-1)];
  const wanted = `>=${oldest},<=${newest}.999`;
  const found = await run(["uv", "python", "find", wanted]).catch(() => "");
  if (found.trim()) {
    yield { command: [found.trim()], why: "found by uv" };
  }
}

/**
 * Asks by running `start` itself, which knows what it needs. An answer is kept for as
 * long as the program is the same file, so that a restart asks nobody again; a refusal
 * is not, since what refused may be mended.
 */
export function asker(start: string, run: Run, env: Environment): Ask {
  const known = new Map<string, Told>();
  return async (candidate) => {
    const [program = "", ...args] = candidate.command;
    const file = findExecutable(program, env);
    if (!file) {
      throw new Error("there is no such program");
    }
    const key = JSON.stringify([identity(file), args]);
    const before = known.get(key);
    const still = before && findExecutable(before.executable, env);
    const told = still
      ? before
      : answer(await run([file, ...args, ...ISOLATED, start, "--probe"]));
    known.set(key, told);
    return { ...told, ...candidate };
  };
}

/** Runs in `directory`, which is nobody's project, for a bounded time. */
export function runner(directory: string, env: Environment, patience = PATIENCE): Run {
  return ([program = "", ...args]) =>
    new Promise((resolve, reject) => {
      const options = { cwd: directory, env, timeout: patience, windowsHide: true };
      const killed = { killSignal: "SIGKILL" } as const;
      execFile(program, args, { ...options, ...killed }, (error, out, complaints) => {
        if (!error) {
          resolve(out);
        } else if (error.killed) {
          reject(new Error(`it did not answer within ${patience / 1000} s`));
        } else {
          reject(new Error(lastLine(complaints) || error.message));
        }
      });
    });
}

function answer(text: string): Told {
  try {
    const { executable, version } = JSON.parse(text);
    if (typeof executable === "string" && typeof version === "string") {
      return { executable, version };
    }
  } catch {
    // not JSON: said below
  }
  throw new Error("it is not a Python");
}

function identity(file: string): readonly unknown[] {
  const { mtimeMs, size, ino } = statSync(file);
  return [file, mtimeMs, size, ino];
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
