/** A job in; a function that runs it out: never twice at once, and bounded in time. */

export type Request = () => Promise<void>;

/**
 * Every request is served by a run that began after it, so the last change of the
 * settings always takes effect; requests made while one already waits share it.
 */
export function oneAtATime(job: () => Promise<void>): Request {
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;

  const start = (): Promise<void> => {
    const run = job().finally(() => {
      if (running === run) {
        running = undefined;
      }
    });
    running = run;
    return run;
  };

  return () => {
    if (waiting) {
      return waiting;
    }
    if (!running) {
      return start();
    }
    const next = () => {
      waiting = undefined;
      return start();
    };
    waiting = running.then(next, next);
    return waiting;
  };
}

/** `work`, or a rejection after `milliseconds`; what it was doing goes on unwatched. */
export async function within<T>(
  milliseconds: number,
  work: Promise<T>,
  late: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(late)), milliseconds);
  });
  try {
    return await Promise.race([work, alarm]);
  } finally {
    clearTimeout(timer);
  }
}
