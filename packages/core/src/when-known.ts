/** A result that may be there already: what is in memory needs no promise, whose turns of the event loop add up at an admission. */
export type Awaitable<T> = T | Promise<T>;

/** `next` of the value: at once if it is known, else when it is. What `next` throws is thrown, or rejected, likewise. */
export function whenKnown<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
