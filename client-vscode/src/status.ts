/** The server's state and its running work in; what the status item shows out. */

export type ServerState = "starting" | "running" | "stopped" | "failed" | "missing";
export type Token = string | number;

/** One piece of the server's work, as `$/progress` tells of it. */
export interface Work {
  readonly title: string;
  readonly message?: string | undefined;
  readonly percentage?: number | undefined;
  readonly cancellable: boolean;
}

export type Works = ReadonlyMap<Token, Work>;

/** The three shapes of LSP's work done progress, as one. */
export interface ProgressValue {
  readonly kind: "begin" | "report" | "end";
  readonly title?: string;
  readonly message?: string | undefined;
  readonly percentage?: number | undefined;
  readonly cancellable?: boolean | undefined;
}

export interface StatusView {
  readonly text: string;
  readonly detail: string;
  readonly severity: "information" | "warning" | "error";
  readonly busy: boolean;
}

/** The state after `next`: a failed start also closes, and that must not hide it. */
export function after(before: ServerState, next: ServerState): ServerState {
  return before === "failed" && next === "stopped" ? "failed" : next;
}

/** The works after `value`; what a report leaves out stays as it was. */
export function withProgress(works: Works, token: Token, value: ProgressValue): Works {
  const next = new Map(works);
  const before = works.get(token);
  if (value.kind === "end") {
    next.delete(token);
  } else if (value.kind === "begin" || before) {
    next.set(token, {
      title: value.title ?? before?.title ?? "Working",
      message: value.message ?? before?.message,
      percentage: value.percentage ?? before?.percentage,
      cancellable: value.cancellable ?? before?.cancellable ?? false,
    });
  }
  return next;
}

const IDLE: Readonly<Record<ServerState, StatusView>> = {
  starting: view("Bonafix", "Starting the server", "information", true),
  running: view("Bonafix", "Ready", "information"),
  stopped: view("Bonafix: stopped", "The server is not running", "warning"),
  failed: view("Bonafix: failed", "The server did not start: see the logs", "error"),
  missing: view("Bonafix: not found", "No server, or no Python to run it", "error"),
};

/** Work is shown only while the server runs: a dead server works on nothing. */
export function statusView(state: ServerState, works: Works): StatusView {
  const current = [...works.values()].at(-1);
  if (state !== "running" || !current) {
    return IDLE[state];
  }
  const more = works.size > 1 ? ` (+${works.size - 1})` : "";
  return view(`Bonafix: ${current.title}${more}`, detail(current), "information", true);
}

/** What a work says of itself, in one line: "3/5 candidates, 40 %". */
export function detail(work: Work): string {
  const percentage =
    work.percentage === undefined ? undefined : `${Math.round(work.percentage)} %`;
  return [work.message, percentage].filter((part) => part).join(", ");
}

/** What is worth saying aloud: "suite: 413/1,930 test_a" is "suite", again and again. */
export function stageOf(message: string): string {
  return message.replace(/:? [\d,]+(\/[\d,]+)?( .*)?$/, "");
}

function view(
  text: string,
  detail: string,
  severity: StatusView["severity"],
  busy = false,
): StatusView {
  return { text, detail, severity, busy };
}
