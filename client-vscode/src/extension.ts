/** Where the editor comes in: it starts the session and registers what users can do. */

import {
  commands,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
  window,
  workspace,
} from "vscode";
import { ExecuteCommandRequest, MessageType } from "vscode-languageclient/node";
import { openAnnouncing } from "./announcing.ts";
import { surroundings } from "./client.ts";
import { actionCommands, type OwnCommand } from "./commands.ts";
import type { Told } from "./fixes.ts";
import { type Fixing, isNode, openFixing } from "./fixing.ts";
import {
  chooseWork,
  explainMissing,
  explainStopped,
  showDebugInformation,
} from "./help.ts";
import { askForKey, forgetKey, keyEnvironment } from "./key.ts";
import { type Launch, type Missing, openLauncher } from "./launching.ts";
import { openPythons, type Pythons } from "./python.ts";
import { resultsTold } from "./results.ts";
import { openRuns, type Runs } from "./runs.ts";
import { openSession, type Session } from "./session.ts";
import { RESTART_SETTINGS, SECTION, SERVER_SETTINGS } from "./settings.ts";
import { openStatusItem } from "./statusItem.ts";
import { openTesting, type Testing, wantedTests, wantsTestingView } from "./testing.ts";

const WALKTHROUGH = "bonafix.bonafix#start";

let session: Session | undefined;
let fixing: Fixing | undefined;

/** Called by the editor for the first Python file, in trusted workspaces only. */
export function activate(context: ExtensionContext): void {
  const channel = window.createOutputChannel("Bonafix", { log: true });
  const status = openStatusItem();
  const actions = actionCommands({
    register: (id, run) => commands.registerCommand(id, run),
    run: async (command, args) => void (await execute(command, args)),
  });
  const fixes = openFixing({
    ask: (command, argument) => execute(command, [argument]),
    quietly: (command, argument) => send(command, [argument]).catch(() => undefined),
  });
  const runs = openRuns({
    session: () => session,
    ask: (command, argument) => execute(command, [argument]),
  });
  const view = testing(runs);
  const announcing = openAnnouncing((token) => void session?.cancel([token]));
  const pythons = openPythons(channel, () => void session?.sendSettings());
  const launch = launching(context.extensionPath, channel, pythons);
  const opened = openSession({
    channel,
    directory: context.extensionPath,
    own: actions.own,
    hushes: fixes.hushes,
    discarded: fixes.discarded,
    python: pythons.of,
    environment: () => keyEnvironment(context.secrets),
    launch,
    show(state, works) {
      status.show(state, works);
      runs.news();
      if (state !== "running") {
        fixes.lost();
        announcing.dispose();
      }
    },
    onProgress(token, value) {
      fixes.onProgress(token, value);
      announcing.onProgress(token, value);
    },
    onEvent: (params) => fixes.onEvent(params as Told),
    onResults: (params) => toldResults(params, view, runs),
    onMissing: (missing) => void explainMissing(missing, context.extensionUri),
    onMessage: (type, text) => void say(fixes, type, text),
  });
  session = opened;
  fixing = fixes;
  context.subscriptions.push(
    ...[channel, status, actions, fixes, announcing, pythons, view],
    ...own(context, opened, channel, launch, pythons),
    ...onFixes(fixes),
    workspace.onDidChangeTextDocument(fixes.onEdit),
  );
  // Not awaited: commands must answer while the server starts.
  void pythons.known.then(() => opened.restart());
}

/** Called by the editor on its way out; it waits a few seconds. */
export function deactivate(): Promise<void> | undefined {
  return session?.stop();
}

function own(
  context: ExtensionContext,
  opened: Session,
  channel: LogOutputChannel,
  launch: () => Promise<Launch | Missing>,
  pythons: Pythons,
): Disposable[] {
  const { secrets } = context;
  const runs = {
    "bonafix.restart": () => opened.restart(),
    "bonafix.showLogs": () => channel.show(),
    "bonafix.debugInformation": async () =>
      showDebugInformation(context, opened, await launch(), pythons.of),
    "bonafix.client.runTests": () => execute("bonafix.runTests", [{}]),
    "bonafix.client.runTestsInFile": () => execute("bonafix.runTests", [activeFile()]),
    "bonafix.client.cancel": async () =>
      opened.cancel(await chooseWork(opened.works())),
    "bonafix.client.doctor": () => execute("bonafix.doctor", []),
    "bonafix.client.setKey": async () =>
      (await askForKey(secrets)) && (await opened.restart()),
    "bonafix.client.forgetKey": async () => {
      await forgetKey(secrets);
      await opened.restart();
    },
    "bonafix.client.getStarted": () =>
      commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH, false),
  } satisfies Partial<Record<OwnCommand, () => unknown>>;
  return [...registered(runs), workspace.onDidChangeConfiguration(onSettings(opened))];
}

/** Each takes what a menu was opened on; without it, the latest fix is meant. */
function onFixes(fixes: Fixing): Disposable[] {
  const runs = {
    "bonafix.client.reviewFix": fixes.review,
    "bonafix.client.applyFix": fixes.apply,
    "bonafix.client.discardFix": fixes.discard,
    "bonafix.client.askAgain": fixes.askAgain,
    "bonafix.client.cancelFix": fixes.cancel,
    "bonafix.client.showEvidence": fixes.showEvidence,
    "bonafix.client.showThinking": fixes.showThinking,
    "bonafix.client.tellFix": fixes.tell,
    "bonafix.client.fixTest": async (argument) => {
      const { test, root } = isNode(argument) ? argument.fix : {};
      const again = test ? [root ? { test, root } : { test }] : undefined;
      for (const wanted of again ?? wantedTests(argument)) {
        await execute("bonafix.fix", [wanted]);
      }
    },
  } satisfies Partial<Record<OwnCommand, (argument: unknown) => unknown>>;
  return registered(runs);
}

function registered(
  runs: Record<string, (argument: unknown) => unknown>,
): Disposable[] {
  return Object.entries(runs).map(([id, run]) => commands.registerCommand(id, run));
}

function onSettings(opened: Session) {
  return (event: { affectsConfiguration(key: string): boolean }): void => {
    const touched = (key: string) => event.affectsConfiguration(`${SECTION}.${key}`);
    if (RESTART_SETTINGS.some(touched)) {
      void opened.restart();
    } else if (SERVER_SETTINGS.some(touched)) {
      void opened.sendSettings();
    }
  };
}

/** How to start the server by the settings as they are at the time; told to the log. */
function launching(
  directory: string,
  channel: LogOutputChannel,
  pythons: Pythons,
): () => Promise<Launch | Missing> {
  const resolve = openLauncher(directory, process.env);
  return async () => {
    const settings = workspace.getConfiguration(SECTION);
    const folders = workspace.workspaceFolders ?? [];
    const launch = await resolve({
      path: settings.get("path"),
      serverInterpreter: settings.get("serverInterpreter"),
      editor: folders.flatMap(({ uri }) => pythons.of(uri) ?? []),
      around: surroundings(),
    });
    for (const { command, reason } of "reason" in launch ? launch.refused : []) {
      channel.info(`${command.join(" ")} cannot run the server: ${reason}`);
    }
    return launch;
  };
}

/** The Testing view, opened and closed as the settings want it. */
function testing(runs: Runs): Pick<Testing, "told" | "dispose"> {
  const open = () => (wantsTestingView() ? openTesting(runs.run) : undefined);
  let view = open();
  const listening = workspace.onDidChangeConfiguration((event) => {
    const keys = [`${SECTION}.testingView`, "python.testing"];
    if (keys.some((key) => event.affectsConfiguration(key))) {
      view?.dispose();
      view = open();
    }
  });
  return {
    told: (results) => view?.told(results),
    dispose() {
      listening.dispose();
      view?.dispose();
    },
  };
}

function toldResults(params: unknown, view: Pick<Testing, "told">, runs: Runs): void {
  const results = resultsTold(params);
  if (results) {
    view.told(results); // first: whoever waits for the run wants to see them
    runs.told(results);
  }
}

/** Runs a command of the server's; every outcome that the user must know is said. */
async function execute(command: string, args: readonly unknown[]): Promise<unknown> {
  if (!(await session?.client())) {
    return explainStopped(session);
  }
  try {
    // The answer names a job; what comes of it is shown by progress and messages.
    const answer = await send(command, args);
    if (command === "bonafix.fix") {
      fixing?.begun(args[0], answer);
    }
    return answer;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(`Bonafix: ${reason}`);
    return undefined;
  }
}

async function send(command: string, args: readonly unknown[]): Promise<unknown> {
  const client = await session?.client();
  const params = { command, arguments: [...args] };
  return client?.sendRequest(ExecuteCommandRequest.type, params);
}

/** A message of the server's; one about a ready fix leads to it. */
async function say(fixes: Fixing, type: MessageType, text: string): Promise<void> {
  const shown =
    type === MessageType.Error
      ? window.showErrorMessage
      : type === MessageType.Warning
        ? window.showWarningMessage
        : window.showInformationMessage;
  const fix = fixes.named(text);
  const choice = await shown(text, ...(fix ? ["Look at the Diff", "Apply"] : []));
  if (fix && choice) {
    await (choice === "Apply" ? fixes.apply : fixes.review)({ fix });
  }
}

function activeFile(): { uri?: string } {
  const uri = window.activeTextEditor?.document.uri;
  return uri ? { uri: uri.toString() } : {};
}
