/** The Python that the user chose in the editor, where an extension knows it. */

import { PythonEnvironments } from "@vscode/python-environments";
import { PythonExtension } from "@vscode/python-extension";
import {
  type Disposable,
  extensions,
  type LogOutputChannel,
  type Uri,
  workspace,
} from "vscode";

export interface Pythons extends Disposable {
  /** The folder's interpreter; undefined where nobody knows. */
  of(folder: Uri | undefined): string | undefined;
  /** Resolves when the first look is over, whatever it found. */
  readonly known: Promise<void>;
}

interface Source {
  ask(folder: Uri): Promise<string | undefined>;
  listen(changed: () => void): Disposable;
}

/** Neither extension is required: without them the server finds an interpreter. */
export function openPythons(log: LogOutputChannel, changed: () => void): Pythons {
  let found = new Map<string, string>();
  let listening: Disposable | undefined;

  const look = async (source: Source): Promise<void> => {
    const next = new Map<string, string>();
    for (const { uri } of workspace.workspaceFolders ?? []) {
      const path = await source.ask(uri);
      if (path) {
        next.set(uri.toString(), path);
      }
    }
    found = next;
  };

  const start = async (): Promise<void> => {
    try {
      const source = (await environments()) ?? (await classic());
      if (source) {
        listening = source.listen(() => void look(source).then(changed));
        await look(source);
      }
    } catch (error) {
      log.info(`The editor's Python is not known: ${error}`); // the server finds one
    }
  };

  return {
    of: (folder) => (folder ? found.get(folder.toString()) : undefined),
    known: start(),
    dispose: () => listening?.dispose(),
  };
}

/** The Python Environments extension, which knows an environment for each folder. */
async function environments(): Promise<Source | undefined> {
  if (!extensions.getExtension("ms-python.vscode-python-envs")) {
    return undefined;
  }
  const api = await PythonEnvironments.api();
  return {
    ask: async (folder) => (await api.getEnvironment(folder))?.execInfo.run.executable,
    listen: (changed) => api.onDidChangeEnvironment(changed),
  };
}

/** The Python extension itself, as it was before. */
async function classic(): Promise<Source | undefined> {
  if (!extensions.getExtension("ms-python.python")) {
    return undefined;
  }
  const { environments: known } = await PythonExtension.api();
  return {
    async ask(folder) {
      const path = known.getActiveEnvironmentPath(folder);
      return (await known.resolveEnvironment(path))?.executable.uri?.fsPath;
    },
    listen: (changed) => known.onDidChangeActiveEnvironmentPath(changed),
  };
}
