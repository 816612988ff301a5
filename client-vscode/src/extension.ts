/** Where the editor comes in: it starts the session and registers what users can do. */

import {
  commands,
  type Disposable,
  type ExtensionContext,
  env,
  LanguageStatusSeverity,
  type LogOutputChannel,
  languages,
  Uri,
  version,
  window,
  workspace,
} from "vscode";
import { ExecuteCommandRequest } from "vscode-languageclient/node";
import { currentSettings, surroundings } from "./client.ts";
import { actionCommands, type OwnCommand } from "./commands.ts";
import { findExecutable } from "./executable.ts";
import { debugReport } from "./report.ts";
import { openSession, resolveLaunch, type Session } from "./session.ts";
import { RESTART_SETTINGS, SECTION, SERVER_SETTINGS } from "./settings.ts";
import { detail, statusView, type Token, type Works } from "./status.ts";

let session: Session | undefined;

/** Called by the editor for the first Python file, in trusted workspaces only. */
export function activate(context: ExtensionContext): void {
  const channel = window.createOutputChannel("Bonafix", { log: true });
  const status = statusItem();
  const actions = actionCommands({
    register: (id, run) => commands.registerCommand(id, run),
    run: (command, args) => execute(command, args),
  });
  const opened = openSession({
    channel,
    directory: context.extensionPath,
    own: actions.own,
    show: status.show,
    onMissing: (reason) => void explainMissing(reason, context.extensionUri),
  });
  session = opened;
  context.subscriptions.push(
    channel,
    status,
    actions,
    ...own(context, opened, channel),
  );
  void opened.restart(); // not awaited: commands must answer while the server starts
}

/** Called by the editor on its way out; it waits a few seconds. */
export function deactivate(): Promise<void> | undefined {
  return session?.stop();
}

function own(
  context: ExtensionContext,
  opened: Session,
  channel: LogOutputChannel,
): Disposable[] {
  const runs: Record<OwnCommand, () => unknown> = {
    "bonafix.restart": () => opened.restart(),
    "bonafix.showLogs": () => channel.show(),
    "bonafix.debugInformation": () => showDebugInformation(context, opened),
    "bonafix.client.runTests": () => execute("bonafix.runTests", [{}]),
    "bonafix.client.runTestsInFile": () => execute("bonafix.runTests", [activeFile()]),
    "bonafix.client.cancel": () => cancelWork(opened),
    "bonafix.client.doctor": () => execute("bonafix.doctor", []),
  };
  return [
    ...Object.entries(runs).map(([id, run]) => commands.registerCommand(id, run)),
    workspace.onDidChangeConfiguration((event) => {
      const touched = (key: string) => event.affectsConfiguration(`${SECTION}.${key}`);
      if (RESTART_SETTINGS.some(touched)) {
        void opened.restart();
      } else if (SERVER_SETTINGS.some(touched)) {
        void opened.sendSettings();
      }
    }),
  ];
}

/** Runs a command of the server's; every outcome that the user must know is said. */
async function execute(command: string, args: readonly unknown[]): Promise<void> {
  const client = await session?.client();
  if (!client) {
    return explainStopped();
  }
  try {
    // The answer names a job; what comes of it is shown by progress and messages.
    const params = { command, arguments: [...args] };
    await client.sendRequest(ExecuteCommandRequest.type, params);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(`Bonafix: ${reason}`);
  }
}

async function explainStopped(): Promise<void> {
  const text = "Bonafix's server is not running.";
  const choice = await window.showWarningMessage(text, "Restart", "Show Logs");
  if (choice === "Restart") {
    await session?.restart();
  } else if (choice === "Show Logs") {
    await commands.executeCommand("bonafix.showLogs" satisfies OwnCommand);
  }
}

async function explainMissing(reason: string, folder: Uri): Promise<void> {
  const choice = await window.showErrorMessage(
    reason,
    "Open Settings",
    "How to Install",
  );
  if (choice === "Open Settings") {
    await openPathSetting();
  } else if (choice === "How to Install") {
    const readme = Uri.joinPath(folder, "dist", "README.md"); // needs no network
    await commands.executeCommand("markdown.showPreview", readme);
  }
}

/** Machine settings of a remote window are on a page of their own. */
async function openPathSetting(): Promise<void> {
  const page = env.remoteName ? "openRemoteSettings" : "openSettings";
  const query = `@id:${SECTION}.path`;
  await commands.executeCommand(`workbench.action.${page}`, { query });
}

async function cancelWork(opened: Session): Promise<void> {
  const tokens = await chooseWork(opened.works());
  await opened.cancel(tokens);
}

async function chooseWork(works: Works): Promise<readonly Token[]> {
  const items = [...works]
    .filter(([, work]) => work.cancellable)
    .map(([token, work]) => ({ token, label: work.title, description: detail(work) }));
  if (items.length === 0) {
    void window.showInformationMessage(
      "Bonafix is doing nothing that can be cancelled.",
    );
  }
  if (items.length <= 1) {
    return items.map((item) => item.token);
  }
  const options = {
    canPickMany: true,
    placeHolder: "What is to be cancelled?",
  } as const;
  const picked = await window.showQuickPick(items, options);
  return (picked ?? []).map((item) => item.token);
}

async function showDebugInformation(
  context: ExtensionContext,
  opened: Session,
): Promise<void> {
  const launch = resolveLaunch();
  const client = await opened.client();
  const text = debugReport({
    extension: `${context.extension.id} ${context.extension.packageJSON.version}`,
    editor: `${env.appName} ${version}`,
    platform: `${process.platform} ${process.arch}`,
    remote: env.remoteName,
    folders: workspace.workspaceFolders?.length ?? 0,
    state: opened.state(),
    launch,
    executable:
      typeof launch === "string"
        ? undefined
        : findExecutable(launch.command, surroundings().env),
    server: client?.initializeResult?.serverInfo,
    settings: currentSettings(),
    works: opened.works(),
  });
  const document = await workspace.openTextDocument({
    language: "markdown",
    content: text,
  });
  await window.showTextDocument(document);
}

function activeFile(): { uri?: string } {
  const uri = window.activeTextEditor?.document.uri;
  return uri ? { uri: uri.toString() } : {};
}

function statusItem() {
  const item = languages.createLanguageStatusItem("bonafix", { language: "python" });
  item.name = "Bonafix";
  item.command = { title: "Show Logs", command: "bonafix.showLogs" };
  const severities = {
    information: LanguageStatusSeverity.Information,
    warning: LanguageStatusSeverity.Warning,
    error: LanguageStatusSeverity.Error,
  };
  const show: Parameters<typeof openSession>[0]["show"] = (state, works) => {
    const view = statusView(state, works);
    item.text = view.text;
    item.detail = view.detail;
    item.busy = view.busy;
    item.severity = severities[view.severity];
  };
  return { show, dispose: () => item.dispose() };
}
