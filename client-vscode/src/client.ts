/** A launch and the hooks of its owner in; a language client, not yet started, out. */

import { type LogOutputChannel, Uri, workspace } from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";
import type { ActionLike, CommandLike } from "./commands.ts";
import {
  type Launch,
  SECTION,
  type ServerSettings,
  type SettingsReader,
  type Surroundings,
  serverSettings,
} from "./settings.ts";
import type { ProgressValue, Token } from "./status.ts";

export interface Hooks {
  readonly channel: LogOutputChannel;
  /** The server's working directory: never the project's, see `buildClient`. */
  readonly directory: string;
  own<A extends ActionLike | CommandLike>(action: A): A;
  onProgress(token: Token, value: ProgressValue): void;
}

/**
 * The working directory is not the project's: `python -m` puts it first on the
 * import path, and a file of the project could then stand in for a module of the
 * server.
 */
export function buildClient(launch: Launch, hooks: Hooks): LanguageClient {
  const server = {
    command: launch.command,
    args: [...launch.args],
    options: { cwd: hooks.directory },
  };
  return new LanguageClient(SECTION, "Bonafix", server, clientOptions(hooks));
}

/** What goes to the server for `scope` (none: for the whole window). */
export function currentSettings(scope?: Uri): ServerSettings {
  return serverSettings(reader(scope), workspace.isTrusted, surroundings(scope));
}

/** Where the variables in a setting get their values. */
export function surroundings(scope?: Uri): Surroundings {
  const folder = scope
    ? workspace.getWorkspaceFolder(scope)
    : workspace.workspaceFolders?.[0];
  return { folder: folder?.uri.fsPath, env: process.env };
}

function reader(scope?: Uri): SettingsReader {
  const configuration = workspace.getConfiguration(SECTION, scope ?? null);
  return {
    get: (key) => configuration.get(key),
    chosen: (key) => {
      const places = configuration.inspect(key);
      return [
        places?.globalValue,
        places?.workspaceValue,
        places?.workspaceFolderValue,
      ].some((value) => value !== undefined);
    },
  };
}

function clientOptions(hooks: Hooks): LanguageClientOptions {
  return {
    documentSelector: [{ scheme: "file", language: "python" }],
    outputChannel: hooks.channel,
    // Failed requests go to the log: what the user asked for reports its own errors.
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () => currentSettings(),
    middleware: middleware(hooks),
  };
}

function middleware(hooks: Hooks): Middleware {
  return {
    async provideCodeActions(document, range, context, token, next) {
      const actions = await next(document, range, context, token);
      return actions?.map((action) => hooks.own(action));
    },
    handleWorkDoneProgress(token, params, next) {
      hooks.onProgress(token, params);
      next(token, params);
    },
    workspace: {
      async configuration(params, token, next) {
        const answers = await next(params, token);
        if (!Array.isArray(answers)) {
          return answers;
        }
        return params.items.map((item, index) =>
          item.section === SECTION ? settingsFor(item.scopeUri) : answers[index],
        );
      },
    },
  };
}

function settingsFor(uri: string | undefined): ServerSettings {
  return currentSettings(uri ? Uri.parse(uri) : undefined);
}
