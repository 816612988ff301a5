/** The server's state and works in; the language status item out. */

import { type Disposable, LanguageStatusSeverity, languages } from "vscode";
import { type ServerState, statusView, type Works } from "./status.ts";

const SEVERITIES = {
  information: LanguageStatusSeverity.Information,
  warning: LanguageStatusSeverity.Warning,
  error: LanguageStatusSeverity.Error,
};

export function openStatusItem(): Disposable & {
  show(state: ServerState, works: Works): void;
} {
  const item = languages.createLanguageStatusItem("bonafix", { language: "python" });
  item.name = "Bonafix";
  item.command = { title: "Show Logs", command: "bonafix.showLogs" };
  return {
    show(state, works) {
      const view = statusView(state, works);
      item.text = view.text;
      item.detail = view.detail;
      item.busy = view.busy;
      item.severity = SEVERITIES[view.severity];
    },
    dispose: () => item.dispose(),
  };
}
