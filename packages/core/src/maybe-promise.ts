/** A result that may be there already: what is in memory needs no promise, whose turns of the event loop add up at an admission. */
export type MaybePromise<T> = T | Promise<T>;

/** `next` of the value: at once if it is known, else when it is. What `next` throws is thrown, or rejected, likewise. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
