/** A command's name in; the file that would be run, or undefined, out. */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Looked up before the start because the language client reports a missing
 * program as a broken connection, which tells the user nothing.
 */
export function findExecutable(command: string, env: Environment): string | undefined {
  const endings = process.platform === "win32" ? windowsEndings(env) : [""];
  const places = /[/\\]/.test(command)
    ? [command]
    : searchPath(env).map((folder) => join(folder, command));
  return places
    .flatMap((place) => endings.map((ending) => place + ending))
    .find(isExecutable);
}

function searchPath(env: Environment): string[] {
  return (env.PATH ?? env.Path ?? "").split(delimiter).filter((folder) => folder);
}

function windowsEndings(env: Environment): string[] {
  return ["", ...(env.PATHEXT ?? ".EXE;.CMD;.BAT").split(";")];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false; // absent, unreadable or not executable: the same to the caller
  }
}
