/** Runs `work` when the namespace has a free place, and settles as `work` does. */
export type NamespaceLimiter = <T>(namespace: string, work: () => Promise<T>) => Promise<T>;

/**
 * Limits how much work of one namespace runs at a time to `max`; the rest waits, first come, first served. A shared
 * resource, such as the API server's rate limit, then has a queue of a few works of each namespace, not of all.
 */
export function createNamespaceLimiter(max: number): NamespaceLimiter {
  const namespaces = new Map<string, { free: number; readonly waiting: Set<() => void> }>();
  return async (namespace, work) => {
    const place = namespaces.get(namespace) ?? { free: max, waiting: new Set() };
    namespaces.set(namespace, place);
    if (place.free > 0) place.free--;
    else await new Promise<void>((resolve) => place.waiting.add(resolve));
    try {
      return await work();
    } finally {
      const [next] = place.waiting;
      if (next !== undefined) {
        place.waiting.delete(next);
        next();
      } else if (++place.free === max) namespaces.delete(namespace);
    }
  };
}
