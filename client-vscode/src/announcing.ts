/** Progress of fixes in; notifications, which screen readers read out, of each stage. */

import { type Disposable, ProgressLocation, window, workspace } from "vscode";
import { SECTION } from "./settings.ts";
import { type ProgressValue, stageOf, type Token } from "./status.ts";

export interface Announcing extends Disposable {
  onProgress(token: Token, value: ProgressValue): void;
}

interface Shown {
  said: string;
  say(text: string): void;
  end(): void;
}

/** Progress of runs stays in the status bar: they begin by themselves. */
export function openAnnouncing(cancel: (token: Token) => void): Announcing {
  const shown = new Map<Token, Shown>();
  return {
    onProgress(token, { kind, title = "", message = "" }) {
      if (kind === "begin" && title.startsWith("fixing ") && wanted()) {
        shown.set(
          token,
          show(title, () => cancel(token)),
        );
      } else if (kind === "report") {
        announce(shown.get(token), stageOf(message));
      } else if (kind === "end") {
        shown.get(token)?.end();
        shown.delete(token);
      }
    },
    dispose() {
      for (const one of shown.values()) {
        one.end();
      }
      shown.clear();
    },
  };
}

function announce(one: Shown | undefined, stage: string): void {
  if (one && stage && one.said !== stage) {
    one.said = stage;
    one.say(stage);
  }
}

/** The editor tells no extension whether a screen reader is there; its setting may. */
function wanted(): boolean {
  const choice = workspace.getConfiguration(SECTION).get("progress", "auto");
  const reader = workspace.getConfiguration("editor").get("accessibilitySupport");
  return choice === "auto" ? reader === "on" : choice === "notification";
}

function show(title: string, cancel: () => void): Shown {
  const location = ProgressLocation.Notification;
  let say = (_: string): void => {};
  let end = (): void => {};
  void window.withProgress(
    { location, title, cancellable: true },
    (progress, token) => {
      token.onCancellationRequested(cancel);
      say = (message) => progress.report({ message });
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    },
  );
  return { said: "", say: (text) => say(text), end: () => end() };
}
