/** What is known of the extension and its server in; the text of a bug report out. */

import type { Launch, Missing } from "./launching.ts";
import type { ServerPython } from "./serverPython.ts";
import type { ServerSettings } from "./settings.ts";
import type { ServerState, Works } from "./status.ts";

export interface Facts {
  readonly extension: string;
  readonly editor: string;
  readonly platform: string;
  readonly remote: string | undefined;
  readonly folders: number;
  /** The interpreters that other extensions name for the folders' tests. */
  readonly pythons: readonly string[];
  readonly state: ServerState;
  readonly launch: Launch | Missing;
  readonly executable: string | undefined;
  readonly server: { name: string; version?: string | undefined } | undefined;
  readonly settings: ServerSettings;
  readonly works: Works;
}

/** Markdown for a bug report. Never the environment: it is where secrets live. */
export function debugReport(facts: Facts): string {
  const { launch, server } = facts;
  const missing = "reason" in launch;
  const command = missing ? launch.reason : [launch.command, ...launch.args].join(" ");
  const python = missing ? undefined : launch.python;
  const origin = python ? "comes with the extension" : "bonafix.path";
  const version = server ? `${server.name} ${server.version ?? "?"}` : "not connected";
  const rows = [
    ["Extension", facts.extension],
    ["Editor", facts.editor],
    ["Platform", facts.platform],
    ["Remote", facts.remote ?? "no"],
    ["Workspace folders", String(facts.folders)],
    ["Python chosen in the editor", facts.pythons.join(", ") || "none is known"],
    ["Server state", facts.state],
    ["Server command", command],
    ["Server's origin", missing ? "none" : origin],
    ["Server's Python", python ? described(python) : "not chosen here"],
    ["Found at", facts.executable ?? "not found"],
    ["Server", version],
    [
      "Running work",
      [...facts.works.values()].map((w) => w.title).join("; ") || "none",
    ],
  ];
  return [
    "# Bonafix: debug information",
    "",
    ...rows.map(([name, value]) => `- ${name}: ${value}`),
    "",
    "Settings sent to the server:",
    "",
    "```json",
    JSON.stringify(facts.settings, undefined, 2),
    "```",
    "",
  ].join("\n");
}

function described({ version, executable, why }: ServerPython): string {
  return `${version} at ${executable} (${why})`;
}
