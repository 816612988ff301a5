/** The editor's settings in; one running server, its state and its work out. */

import type { LogOutputChannel } from "vscode";
import {
  DidChangeConfigurationNotification,
  type LanguageClient,
  State,
  WorkDoneProgressCancelNotification,
} from "vscode-languageclient/node";
import { buildClient, currentSettings, type Hooks } from "./client.ts";
import type { Launch, Missing } from "./launching.ts";
import { oneAtATime, within } from "./restart.ts";
import { SECTION } from "./settings.ts";
import {
  after,
  type ServerState,
  type Token,
  type Works,
  withProgress,
} from "./status.ts";

export interface Owner extends Hooks {
  readonly channel: LogOutputChannel;
  /** What the server's environment has besides the editor's own: secrets. */
  environment(): Promise<Record<string, string>>;
  /** Called after every change of state or work. */
  show(state: ServerState, works: Works): void;
  /** How the settings, as they are now, have the server started. */
  launch(): Promise<Launch | Missing>;
  onMissing(missing: Missing): void;
}

export interface Session {
  state(): ServerState;
  works(): Works;
  /** Stop the server if there is one, and start it by the settings as they are now. */
  restart(): Promise<void>;
  /** The running client once a start in flight is over; undefined if there is none. */
  client(): Promise<LanguageClient | undefined>;
  /** Ask the server to stop these works: all it takes to reach model and tests. */
  cancel(tokens: readonly Token[]): Promise<void>;
  /** Tell the running server of the settings as they are now; a new one asks itself. */
  sendSettings(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a server may take to end its tests before it is killed, in milliseconds. */
const STOP_TIMEOUT = 4_000;

/** A server that never answers must not block the next restart, in milliseconds. */
const START_TIMEOUT = 60_000;

/** Nothing is started yet: `restart` does. */
export function openSession(owner: Owner): Session {
  let client: LanguageClient | undefined;
  let state: ServerState = "stopped";
  let works: Works = new Map();
  let closed = false;
  let current = Promise.resolve();

  const enter = (next: ServerState): void => {
    state = next;
    works = next === "running" ? works : new Map();
    owner.show(state, works);
  };

  const onProgress: Hooks["onProgress"] = (token, value) => {
    works = withProgress(works, token, value);
    owner.show(state, works);
    owner.onProgress(token, value);
  };

  const start = async (launch: Launch): Promise<void> => {
    const hooks = { ...owner, onProgress };
    const fresh = buildClient(launch, hooks, await owner.environment());
    client = fresh;
    fresh.onDidChangeState(({ newState }) => {
      if (client === fresh) {
        enter(after(state, serverState(newState)));
      }
    });
    try {
      await within(START_TIMEOUT, fresh.start(), "it did not answer in time");
    } catch (error) {
      owner.channel.error(`The server did not start: ${error}`);
      enter("failed");
    }
  };

  const serve = oneAtATime(async () => {
    const old = client;
    client = undefined;
    await halt(old, owner.channel);
    if (closed) {
      return enter("stopped");
    }
    enter("starting");
    const launch = await owner.launch();
    if (closed) {
      return enter("stopped"); // meanwhile
    }
    if ("reason" in launch) {
      enter("missing");
      return owner.onMissing(launch);
    }
    await start(launch);
  });

  const restart = (): Promise<void> => {
    current = serve();
    return current;
  };

  const stop = (): Promise<void> => {
    closed = true; // the run that this asks for stops the server and starts none
    return restart();
  };

  return {
    state: () => state,
    works: () => works,
    restart,
    stop,
    async client() {
      await current;
      return state === "running" ? client : undefined;
    },
    async cancel(tokens) {
      for (const token of tokens) {
        await client?.sendNotification(WorkDoneProgressCancelNotification.type, {
          token,
        });
      }
    },
    async sendSettings() {
      const settings = { [SECTION]: currentSettings(undefined, owner.python) };
      const running = state === "running" ? client : undefined;
      await running?.sendNotification(DidChangeConfigurationNotification.type, {
        settings,
      });
    },
  };
}

async function halt(
  client: LanguageClient | undefined,
  log: LogOutputChannel,
): Promise<void> {
  try {
    await client?.dispose(STOP_TIMEOUT);
  } catch (error) {
    log.debug(`Stopping the server: ${error}`); // it had failed to start, or had died
  }
}

function serverState(state: State): ServerState {
  switch (state) {
    case State.Running:
      return "running";
    case State.Starting:
      return "starting";
    case State.StartFailed:
      return "failed";
    default:
      return "stopped";
  }
}
