/** Where the editor comes in: it starts the session and registers what users can do. */

import {
  type CancellationToken,
  commands,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
  window,
  workspace,
} from "vscode";
import { ExecuteCommandRequest, MessageType } from "vscode-languageclient/node";
import { actionCommands, type OwnCommand } from "./commands.ts";
import { type Fixing, openFixing } from "./fixing.ts";
import {
  chooseWork,
  explainMissing,
  explainStopped,
  showDebugInformation,
} from "./help.ts";
import { askForKey, forgetKey, keyEnvironment } from "./key.ts";
import { openPythons } from "./python.ts";
import { openSession, type Session } from "./session.ts";
import { RESTART_SETTINGS, SECTION, SERVER_SETTINGS } from "./settings.ts";
import { openStatusItem } from "./statusItem.ts";
import { openTesting, wantedTests, wantsTestingView } from "./testing.ts";

const WALKTHROUGH = "bonafix.bonafix#start";
const RUN_STARTS = 5_000; // milliseconds until a run that was asked for shows progress
const LOOK = 100;

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
    client: async () => session?.client(),
    ask: (command, argument) => execute(command, [argument]),
    quietly: (command, argument) => send(command, [argument]).catch(() => undefined),
  });
  const pythons = openPythons(channel, () => void session?.sendSettings());
  const opened = openSession({
    channel,
    directory: context.extensionPath,
    own: actions.own,
    show: status.show,
    fixes,
    python: pythons.of,
    environment: () => keyEnvironment(context.secrets),
    onMissing: (reason) => void explainMissing(reason, context.extensionUri),
    onMessage: (type, text) => void say(fixes, type, text),
  });
  session = opened;
  fixing = fixes;
  context.subscriptions.push(
    ...[channel, status, actions, fixes, pythons, testing(opened)],
    ...own(context, opened, channel),
    ...onFixes(fixes),
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
): Disposable[] {
  const { secrets } = context;
  const runs = {
    "bonafix.restart": () => opened.restart(),
    "bonafix.showLogs": () => channel.show(),
    "bonafix.debugInformation": () => showDebugInformation(context, opened),
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
    "bonafix.client.fixTest": async (argument) => {
      for (const wanted of wantedTests(argument)) {
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

/** The Testing view, opened and closed as the settings want it. */
function testing(opened: Session): Disposable {
  const runs = {
    run: (argument: object, token: CancellationToken) =>
      runTests(opened, argument, token),
    alive: () => opened.state() === "running",
  };
  let view = wantsTestingView() ? openTesting(runs) : undefined;
  const listening = workspace.onDidChangeConfiguration((event) => {
    const keys = [`${SECTION}.testingView`, "python.testing"];
    if (keys.some((key) => event.affectsConfiguration(key))) {
      view?.dispose();
      view = wantsTestingView() ? openTesting(runs) : undefined;
    }
  });
  return {
    dispose() {
      listening.dispose();
      view?.dispose();
    },
  };
}

/** Resolves once the run is over; the server says so by the end of its progress. */
async function runTests(
  opened: Session,
  argument: object,
  token: CancellationToken,
): Promise<void> {
  const answer = await execute("bonafix.runTests", [argument]);
  const { job } = (answer ?? {}) as { job?: string };
  const cancelling = token.onCancellationRequested(() =>
    execute("bonafix.cancel", [{ job }]),
  );
  const runs = () =>
    [...opened.works().values()].some(({ title }) => /^running\b/.test(title));
  const latest = Date.now() + RUN_STARTS;
  while (job && !runs() && Date.now() < latest) {
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  while (runs() && opened.state() === "running") {
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  cancelling.dispose();
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
