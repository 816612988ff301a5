/** What is wrong in; a message with a way out, or a page for a bug report, out. */

import {
  commands,
  type ExtensionContext,
  env,
  Uri,
  version,
  window,
  workspace,
} from "vscode";
import { currentSettings } from "./client.ts";
import type { OwnCommand } from "./commands.ts";
import { findExecutable } from "./executable.ts";
import type { Launch, Missing } from "./launching.ts";
import type { Pythons } from "./python.ts";
import { debugReport } from "./report.ts";
import type { Session } from "./session.ts";
import { SECTION } from "./settings.ts";
import { detail, type Token, type Works } from "./status.ts";

export async function explainStopped(session: Session | undefined): Promise<void> {
  const text = "Bonafix's server is not running.";
  const choice = await window.showWarningMessage(text, "Restart", "Show Logs");
  if (choice === "Restart") {
    await session?.restart();
  } else if (choice === "Show Logs") {
    await commands.executeCommand("bonafix.showLogs" satisfies OwnCommand);
  }
}

export async function explainMissing(
  { reason, setting }: Missing,
  folder: Uri,
): Promise<void> {
  const choice = await window.showErrorMessage(
    reason,
    "Open Settings",
    "How to Install",
  );
  if (choice === "Open Settings") {
    await openSetting(setting);
  } else if (choice === "How to Install") {
    const readme = Uri.joinPath(folder, "dist", "README.md"); // needs no network
    await commands.executeCommand("markdown.showPreview", readme);
  }
}

/** Machine settings of a remote window are on a page of their own. */
async function openSetting(key: string): Promise<void> {
  const page = env.remoteName ? "openRemoteSettings" : "openSettings";
  const query = `@id:${SECTION}.${key}`;
  await commands.executeCommand(`workbench.action.${page}`, { query });
}

export async function chooseWork(works: Works): Promise<readonly Token[]> {
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

export async function showDebugInformation(
  context: ExtensionContext,
  session: Session,
  launch: Launch | Missing,
  pythonOf: Pythons["of"],
): Promise<void> {
  const folders = workspace.workspaceFolders ?? [];
  const client = await session.client();
  const text = debugReport({
    extension: `${context.extension.id} ${context.extension.packageJSON.version}`,
    editor: `${env.appName} ${version}`,
    platform: `${process.platform} ${process.arch}`,
    remote: env.remoteName,
    folders: folders.length,
    pythons: folders.flatMap(({ uri }) => pythonOf(uri) ?? []),
    state: session.state(),
    launch,
    executable:
      "reason" in launch ? undefined : findExecutable(launch.command, process.env),
    server: client?.initializeResult?.serverInfo,
    settings: currentSettings(undefined, pythonOf),
    works: session.works(),
  });
  const document = await workspace.openTextDocument({
    language: "markdown",
    content: text,
  });
  await window.showTextDocument(document);
}
