/** The lines of the server's standard error in; the editor's levels of a log out. Pure. */

export type Level = "debug" | "info" | "warn" | "error";

const LEVELS: Readonly<Record<string, Level>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "error",
};

/**
 * Tell lines apart as they come: each begins with its level, as `bonafix lsp` writes
 * them. One that does not goes with the line before it, as a traceback's do; before any
 * line of the log it is an error, for then an interpreter speaks that could not start.
 */
export function logLevels(): (line: string) => { level: Level; text: string } {
  let last: Level = "error";
  return (line) => {
    const [, name = "", text] = /^([A-Z]+) (\S+: .*)$/.exec(line) ?? [];
    const level = LEVELS[name];
    last = level ?? last;
    return { level: last, text: level && text ? text : line };
  };
}
