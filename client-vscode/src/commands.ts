/** A server's command in; an editor command without arguments that runs it out. */

/** What the server registers; the language client gives the editor the same ids. */
export const SERVER_COMMANDS = [
  "bonafix.runTests",
  "bonafix.test",
  "bonafix.fix",
  "bonafix.apply",
  "bonafix.cancel",
  "bonafix.showEvidence",
  "bonafix.explain",
  "bonafix.doctor",
] as const;

/** What the extension registers: none of the server's ids, or both would claim it. */
export const OWN_COMMANDS = [
  "bonafix.restart",
  "bonafix.showLogs",
  "bonafix.debugInformation",
  "bonafix.client.runTests",
  "bonafix.client.runTestsInFile",
  "bonafix.client.cancel",
  "bonafix.client.doctor",
  "bonafix.client.fixTest",
  "bonafix.client.reviewFix",
  "bonafix.client.applyFix",
  "bonafix.client.discardFix",
  "bonafix.client.askAgain",
  "bonafix.client.cancelFix",
  "bonafix.client.showEvidence",
  "bonafix.client.showThinking",
  "bonafix.client.tellFix",
  "bonafix.client.setKey",
  "bonafix.client.forgetKey",
  "bonafix.client.getStarted",
] as const;

export type OwnCommand = (typeof OWN_COMMANDS)[number];

export interface CommandLike {
  title: string;
  command: string;
  arguments?: unknown[];
}

export interface ActionLike {
  title: string;
  command?: CommandLike;
}

export interface Disposable {
  dispose(): void;
}

export interface Registry {
  register(id: string, run: () => Promise<void>): Disposable;
  run(command: string, args: readonly unknown[]): Promise<void>;
}

const PREFIX = "bonafix.client.action.";

/**
 * Gives every command with arguments an editor command of its own, without any.
 *
 * The editor keeps the arguments of an action's command in a list that it may drop
 * before the user clicks ("actual command not found"); a command without arguments
 * is sent by its id alone and outlives the list. Equal commands share one id, ids
 * are never used again, and the longest unused are taken back beyond `limit`.
 */
export function actionCommands(registry: Registry, limit = 256) {
  const known = new Map<string, { id: string; registration: Disposable }>();
  let count = 0;

  const create = (command: string, args: readonly unknown[]) => {
    count += 1;
    const id = `${PREFIX}${count}`;
    const run = () => registry.run(command, args);
    return { id, registration: registry.register(id, run) };
  };

  const idFor = (command: string, args: readonly unknown[]): string => {
    const key = JSON.stringify([command, args]);
    const entry = known.get(key) ?? create(command, args);
    known.delete(key); // set again below: a Map keeps order, so the first is the oldest
    known.set(key, entry);
    const [oldest] = known;
    if (known.size > limit && oldest) {
      known.delete(oldest[0]);
      oldest[1].registration.dispose();
    }
    return entry.id;
  };

  const owned = <C extends CommandLike>(command: C): C =>
    isServerCommand(command.command)
      ? {
          ...command,
          command: idFor(command.command, command.arguments ?? []),
          arguments: [],
        }
      : command;

  return {
    /** The same action, its command replaced in place: its class must be kept. */
    own<A extends ActionLike | CommandLike>(action: A): A {
      if (isCommand(action)) {
        return owned(action);
      }
      if (action.command) {
        action.command = owned(action.command);
      }
      return action;
    },
    dispose(): void {
      for (const { registration } of known.values()) {
        registration.dispose();
      }
      known.clear();
    },
  };
}

function isCommand(action: ActionLike | CommandLike): action is CommandLike {
  return typeof action.command === "string";
}

function isServerCommand(id: string): boolean {
  return SERVER_COMMANDS.some((command) => command === id);
}
