/** News of any kind in; promises that something has become true out. Pure. */

export interface Waiting {
  /** Something has changed: who waits looks again. */
  news(): void;
  /** True once `holds`, false where it did not within `milliseconds`. */
  until(holds: () => boolean, milliseconds?: number): Promise<boolean>;
}

export function openWaiting(): Waiting {
  const looking = new Set<() => void>();
  return {
    news() {
      for (const look of [...looking]) {
        look();
      }
    },
    until(holds, milliseconds) {
      return new Promise((resolve) => {
        const settle = (answer: boolean): void => {
          clearTimeout(timer);
          looking.delete(look);
          resolve(answer);
        };
        const look = (): void => {
          if (holds()) {
            settle(true);
          }
        };
        const timer =
          milliseconds === undefined
            ? undefined
            : setTimeout(() => settle(holds()), milliseconds);
        looking.add(look);
        look();
      });
    },
  };
}
