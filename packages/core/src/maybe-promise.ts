/**
 * A value or a promise of it. Values in memory need no promise: each one costs turns of the microtask queue, which add
 * up in an admission.
 */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Calls `next` with the value: synchronously, or when the promise is fulfilled. An error of `next` is thrown or
 * rejected accordingly.
 */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
