/** Makes `close` idempotent: it runs for the first call, and every later call gets the promise of that one. */
export function closeOnce<Options extends unknown[]>(
  close: (...options: Options) => Promise<void>,
): (...options: Options) => Promise<void> {
  let closed: Promise<void> | undefined;
  return (...options) => {
    closed ??= close(...options);
    return closed;
  };
}
