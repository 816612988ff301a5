/** The editor's `bonafix.*` settings in; what the server takes, and how to start it, out. */

import { homedir } from "node:os";
import { isAbsolute, resolve } from "node:path";

/** Editor setting -> the server's own name for it. What is not here stays here. */
export const SERVER_NAMES = {
  interpreter: "interpreter",
  run: "run",
  engine: "engine",
  model: "model",
  thinking: "thinking",
  maxCost: "max_cost",
  maxTokens: "max_tokens",
  candidates: "candidates",
  fan: "fan",
  searchSeconds: "search_seconds",
  timeout: "timeout",
  review: "review",
  service: "service",
  serviceRegion: "service_region",
  serviceProject: "service_project",
  baseUrl: "base_url",
  exclude: "exclude",
  allow: "allow",
  newFiles: "new_files",
  packages: "packages",
  tests: "tests",
  carry: "carry",
  environment: "environment",
  confine: "confine",
  memory: "memory",
  cache: "cache",
  suiteTimeout: "suite_timeout",
  testTimeout: "test_timeout",
  logLevel: "log_level",
} as const;

export const SECTION = "bonafix";
export const SERVER_SETTINGS = Object.keys(SERVER_NAMES);

/** What the server takes at its start only. */
export const RESTART_SETTINGS = ["path", "serverInterpreter"];

/** What was chosen: by the user, by the workspace, by its folder; undefined: nothing. */
export interface SettingsReader {
  chosen(key: string): readonly unknown[];
}

/** What variables in a setting may stand for. */
export interface Surroundings {
  readonly folder?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
}

export type ServerSettings = Record<string, unknown>;

/**
 * The settings to send, under the server's names.
 *
 * Only what somebody chose is sent: a default sent as if it were a choice would
 * overrule the user's own configuration file and the project's. `python` is the
 * interpreter that was chosen elsewhere in the editor.
 */
export function serverSettings(
  reader: SettingsReader,
  trusted: boolean,
  around: Surroundings,
  python?: string,
): ServerSettings {
  const settings: ServerSettings = { trust: trusted };
  if (python) {
    settings.interpreter = python; // chosen in the editor, if not in our own setting
  }
  for (const [key, name] of Object.entries(SERVER_NAMES)) {
    const value = effective(key, reader.chosen(key));
    if (value !== undefined) {
      settings[name] = key === "interpreter" ? interpreter(value, around) : value;
    }
  }
  return settings;
}

/**
 * The nearest choice wins, but for two settings with which a workspace, whose file
 * may come with the project, could send what the user wants to keep: it may ask for
 * the engine that sends nothing, and exclude more than the user does.
 */
function effective(key: string, values: readonly unknown[]): unknown {
  const made = values.filter((value) => value !== null && value !== undefined);
  if (key === "engine") {
    const [user, ...nearer] = values;
    return nearer.includes("search") ? "search" : (user ?? undefined);
  }
  return key === "exclude" && made.length ? made.flat() : made.at(-1);
}

/**
 * The program and arguments that a setting names; undefined where it names none.
 *
 * Throws an `Error` that says what is wrong with the setting.
 */
export function chosenCommand(
  key: "path" | "serverInterpreter",
  value: unknown,
  around: Surroundings,
): readonly [string, ...string[]] | undefined {
  const parts = typeof value === "string" ? [value].filter((part) => part) : value;
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string")) {
    throw new Error(`${SECTION}.${key} must be a list of strings.`);
  }
  const [command, ...args] = parts.map((part) => expand(part, around));
  if (!command && parts.length > 0) {
    throw new Error(`${SECTION}.${key} must begin with a command.`);
  }
  return command ? [command, ...args] : undefined;
}

/** `~`, `${workspaceFolder}`, `${userHome}`, `${env:NAME}` replaced; the rest kept. */
export function expand(text: string, around: Surroundings): string {
  const home = around.home ?? homedir();
  return text
    .replace(/^~(?=$|[/\\])/, () => home)
    .replace(/\$\{userHome\}/g, () => home)
    .replace(/\$\{workspaceFolder\}/g, (whole) => around.folder ?? whole)
    .replace(/\$\{env:(\w+)\}/g, (_, name: string) => around.env[name] ?? "");
}

/** The server takes an absolute path; only the editor knows what a relative one means. */
function interpreter(value: unknown, around: Surroundings): unknown {
  if (typeof value !== "string" || value === "") {
    return value;
  }
  const path = expand(value, around);
  const bare = !/[/\\]/.test(path);
  const rooted = bare || isAbsolute(path) || around.folder === undefined;
  return rooted ? path : resolve(around.folder, path);
}
