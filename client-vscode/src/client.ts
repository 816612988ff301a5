/** A launch and the hooks of its owner in; a language client, not yet started, out. */

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { commands, type LogOutputChannel, Uri, workspace } from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  LogMessageNotification,
  type MessageType,
  type Middleware,
  RevealOutputChannelOn,
  ShowMessageNotification,
} from "vscode-languageclient/node";
import type { ActionLike, CommandLike } from "./commands.ts";
import type { Launch } from "./launching.ts";
import { logLevels } from "./serverLog.ts";
import {
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
  /** One of the server's own notifications: what a run did, or what a job does. */
  onResults(params: unknown): void;
  onEvent(params: unknown): void;
  onMessage(type: MessageType, text: string): void;
  /** Whether a page that the server wants to show is only being read. */
  hushes(uri: string): boolean;
  /** Whether the user has thrown a job's fix away. */
  discarded(job: string): boolean;
  /** The folder's interpreter, where another extension knows it. */
  python(folder: Uri | undefined): string | undefined;
}

/**
 * The working directory is not the project's: `python -m` puts it first on the
 * import path, and a file of the project could then stand in for a module of the
 * server.
 */
export function buildClient(
  launch: Launch,
  hooks: Hooks,
  env: Readonly<Record<string, string>>,
): LanguageClient {
  const server = {
    command: launch.command,
    args: [...launch.args],
    options: { cwd: hooks.directory, env: { ...process.env, ...env } },
  };
  const client = new LanguageClient(SECTION, "Bonafix", server, clientOptions(hooks));
  client.onNotification("bonafix/results", hooks.onResults);
  client.onNotification("bonafix/event", hooks.onEvent);
  client.onNotification(LogMessageNotification.type, ({ message }) =>
    hooks.channel.info(message),
  );
  client.onNotification(ShowMessageNotification.type, ({ type, message }) =>
    hooks.onMessage(type, message),
  );
  return client;
}

/** What goes to the server for `scope` (none: for the whole window). */
export function currentSettings(scope?: Uri, python?: Hooks["python"]): ServerSettings {
  const around = surroundings(scope);
  const found = python?.(around.uri);
  return serverSettings(reader(scope), workspace.isTrusted, around, found);
}

/** Where the variables in a setting get their values. */
export function surroundings(scope?: Uri): Surroundings & { uri: Uri | undefined } {
  const folder = scope
    ? workspace.getWorkspaceFolder(scope)
    : workspace.workspaceFolders?.[0];
  return { folder: folder?.uri.fsPath, uri: folder?.uri, env: process.env };
}

function reader(scope?: Uri): SettingsReader {
  const configuration = workspace.getConfiguration(SECTION, scope ?? null);
  return {
    chosen(key) {
      const places = configuration.inspect(key);
      const { globalValue, workspaceValue, workspaceFolderValue } = places ?? {};
      return [globalValue, workspaceValue, workspaceFolderValue];
    },
  };
}

function clientOptions(hooks: Hooks): LanguageClientOptions {
  return {
    documentSelector: [{ scheme: "file", language: "python" }],
    outputChannel: hooks.channel,
    stdioOptions: { stdout: logged, stderr: logged },
    // Failed requests go to the log: what the user asked for reports its own errors.
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () => ({
      ...currentSettings(undefined, hooks.python),
      results: true, // send what every test did, and what happens in a job
    }),
    middleware: middleware(hooks),
  };
}

function middleware(hooks: Hooks): Middleware {
  return {
    async provideCodeActions(document, range, context, token, next) {
      const actions = await next(document, range, context, token);
      return actions
        ?.filter(({ command }) => !ofDiscarded(command, hooks))
        .map((action) => hooks.own(action));
    },
    async provideCodeLenses(document, token, next) {
      const lenses = await next(document, token);
      const kept = lenses?.filter(({ command }) => !ofDiscarded(command, hooks));
      for (const lens of kept ?? []) {
        lens.command &&= hooks.own(lens.command);
      }
      return kept;
    },
    handleWorkDoneProgress(token, params, next) {
      hooks.onProgress(token, params);
      next(token, params);
    },
    window: {
      async showDocument(params, token, next) {
        if (hooks.hushes(params.uri)) {
          return { success: true };
        }
        if (!/\/pages\/[^/]+\.md$/.test(params.uri)) {
          return next(params, token);
        }
        const page = Uri.parse(params.uri); // the server's own: to be read, not edited
        await commands.executeCommand("markdown.showPreview", page);
        return { success: true };
      },
    },
    workspace: {
      async configuration(params, token, next) {
        const answers = await next(params, token);
        if (!Array.isArray(answers)) {
          return answers;
        }
        return params.items.map((item, index) =>
          item.section === SECTION ? settingsFor(item.scopeUri, hooks) : answers[index],
        );
      },
    },
  };
}

/** Of the two streams the protocol has one; the other's lines come with their level. */
function logged(input: Readable, channel: LogOutputChannel): void {
  const told = logLevels();
  createInterface({ input }).on("line", (line) => {
    const { level, text } = told(line);
    channel[level](text);
  });
}

/** Whether it would apply, or show, what the user has thrown away. */
function ofDiscarded(command: unknown, hooks: Hooks): boolean {
  const { arguments: [argument] = [] } = (command ?? {}) as { arguments?: unknown[] };
  const { job } = (argument ?? {}) as { job?: string };
  return job !== undefined && hooks.discarded(job);
}

function settingsFor(uri: string | undefined, hooks: Hooks): ServerSettings {
  return currentSettings(uri ? Uri.parse(uri) : undefined, hooks.python);
}
