/** Does work in the turn of a namespace, and returns what it comes to. */
export type InTurn = <T>(namespace: string, work: () => Promise<T>) => Promise<T>;

/**
 * Lets at most `max` works of one namespace run at a time, the others in the order in which they came: whoever shares
 * what they need, such as the API server's rate limit, waits behind a few of them, not behind all.
 */
export function createNamespaceTurns(max: number): InTurn {
  const namespaces = new Map<string, { free: number; readonly waiting: Set<() => void> }>();
  return async (namespace, work) => {
    const turns = namespaces.get(namespace) ?? { free: max, waiting: new Set() };
    namespaces.set(namespace, turns);
    if (turns.free > 0) turns.free--;
    else await new Promise<void>((resolve) => turns.waiting.add(resolve));
    try {
      return await work();
    } finally {
      const [next] = turns.waiting;
      if (next !== undefined) {
        turns.waiting.delete(next);
        next();
      } else if (++turns.free === max) namespaces.delete(namespace);
    }
  };
}
