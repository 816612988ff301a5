/** Texts under a name in; read-only documents that the editor can open out. */

import { type Disposable, EventEmitter, Uri, workspace } from "vscode";

export const SCHEME = "bonafix-fix";

/** What of a fix a page shows: a file as a candidate has it, or what was thought. */
export interface Shown {
  readonly job: string;
  readonly candidate: number;
}

export interface Pages extends Disposable {
  /** Put a text under its name, be it again: an open editor follows. */
  put(uri: Uri, text: string): Uri;
  /** Forget every page of a job. */
  drop(job: string): void;
}

/** The path is the file's: the same language, and no renaming in the editor's diffs. */
export function pageUri({ job, candidate }: Shown, path: string): Uri {
  return Uri.from({ scheme: SCHEME, path, query: `${job}/${candidate}` });
}

export function shownAt(uri: Uri): Shown | undefined {
  const [job = "", candidate = ""] = uri.query.split("/");
  return uri.scheme === SCHEME ? { job, candidate: Number(candidate) } : undefined;
}

export function openPages(): Pages {
  const texts = new Map<string, string>();
  const changed = new EventEmitter<Uri>();
  const registration = workspace.registerTextDocumentContentProvider(SCHEME, {
    onDidChange: changed.event,
    provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? "",
  });
  return {
    put(uri, text) {
      texts.set(uri.toString(), text);
      changed.fire(uri);
      return uri;
    },
    drop(job) {
      for (const key of [...texts.keys()]) {
        if (shownAt(Uri.parse(key))?.job === job) {
          texts.delete(key);
        }
      }
    },
    dispose() {
      registration.dispose();
      changed.dispose();
    },
  };
}
