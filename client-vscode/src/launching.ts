/** What the settings choose in; how to start the server, or why there is no way, out. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { findExecutable } from "./executable.ts";
import {
  type Ask,
  asker,
  byUv,
  type Candidate,
  firstThatRuns,
  ISOLATED,
  onPath,
  type Refused,
  type Run,
  runner,
  type ServerPython,
  VERSIONS,
} from "./serverPython.ts";
import { chosenCommand, type Surroundings } from "./settings.ts";

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** What runs the server that comes with the extension; undefined: another server. */
  readonly python?: ServerPython;
}

/** No way to start a server, in one sentence, and the setting that might help. */
export interface Missing {
  readonly reason: string;
  readonly setting: "path" | "serverInterpreter";
  /** The Pythons that were asked, for the log. */
  readonly refused: readonly Refused[];
}

/** What was chosen in the editor. */
export interface Chosen {
  readonly path: unknown;
  readonly serverInterpreter: unknown;
  /** The interpreters of the folders, where another extension knows them. */
  readonly editor: readonly string[];
  readonly around: Surroundings;
}

export type Launcher = (chosen: Chosen) => Promise<Launch | Missing>;

/** `directory` is the extension's own folder. */
export function openLauncher(
  directory: string,
  env: Surroundings["env"],
  run: Run = runner(directory, env),
): Launcher {
  const start = join(directory, "bundled", "tool", "start.py");
  const ask = asker(start, run, env);
  return async (chosen) => {
    try {
      const server = chosenCommand("path", chosen.path, chosen.around);
      if (server) {
        return byCommand(server, env);
      }
      if (!existsSync(start)) {
        return missing("path", NO_BUNDLE);
      }
      const host = chosenCommand(
        "serverInterpreter",
        chosen.serverInterpreter,
        chosen.around,
      );
      return host ? await byChoice(host, start, ask) : await byLuck();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const named = reason.includes("serverInterpreter");
      return missing(named ? "serverInterpreter" : "path", reason);
    }

    async function byLuck(): Promise<Launch | Missing> {
      const { python, refused } = await firstThatRuns(
        candidates(chosen.editor, run),
        ask,
      );
      return python
        ? bundled([python.executable], start, python)
        : missing("serverInterpreter", NO_PYTHON, refused);
    }
  };
}

const RANGE = `Python ${VERSIONS.at(-1)} to ${VERSIONS[0]}`;
const NO_PYTHON =
  `The Bonafix server needs ${RANGE}, and there is none. ` +
  "Install one, or name one in bonafix.serverInterpreter. " +
  "The Python of your tests may be another one.";
const NO_BUNDLE =
  "This build of the extension comes without the Bonafix server: " +
  "install it, and name its command in bonafix.path.";

async function* candidates(
  editor: readonly string[],
  run: Run,
): AsyncGenerator<Candidate> {
  for (const path of new Set(editor)) {
    yield { command: [path], why: "chosen in the editor" };
  }
  yield* onPath();
  yield* byUv(run);
}

function byCommand(command: readonly string[], env: Surroundings["env"]) {
  const [program = "", ...args] = command;
  return findExecutable(program, env)
    ? { command: program, args: [...args, "lsp"] }
    : missing(
        "path",
        `The Bonafix server was not found: there is no command "${program}".`,
      );
}

/** The user's choice is run as it was written, and nothing stands in for it. */
async function byChoice(
  command: readonly string[],
  start: string,
  ask: Ask,
): Promise<Launch | Missing> {
  const wanted = [{ command, why: "bonafix.serverInterpreter" }];
  const { python, refused } = await firstThatRuns(wanted, ask);
  const reason = `bonafix.serverInterpreter cannot run the server: ${refused[0]?.reason}`;
  return python
    ? bundled(command, start, python)
    : missing("serverInterpreter", reason, refused);
}

function bundled(
  [command = "", ...args]: readonly string[],
  start: string,
  python: ServerPython,
): Launch {
  return { command, args: [...args, ...ISOLATED, start, "lsp"], python };
}

function missing(
  setting: Missing["setting"],
  reason: string,
  refused: readonly Refused[] = [],
): Missing {
  return { reason, setting, refused };
}
