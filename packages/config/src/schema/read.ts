import { isObject } from "@flyte-secrets/core";

/** Reads what a source gives. Throws {@link RefusedValue} for what is none of its values. */
export type Read<T> = (value: unknown) => T;

/** The message is the rest of a sentence that begins with the setting's path. */
export class RefusedValue extends Error {
  /** Where in the value: keys and indexes, from the outside. */
  readonly path: readonly string[];

  constructor(message: string, path: readonly string[] = []) {
    super(message);
    this.path = path;
  }
}

export function string(must: string, accepts: (value: string) => boolean = () => true): Read<string> {
  return (value) => (typeof value === "string" && accepts(value) ? value : refuse(must));
}

/** A finite number. */
export function number(must: string, accepts: (value: number) => boolean): Read<number> {
  return (value) => (typeof value === "number" && Number.isFinite(value) && accepts(value) ? value : refuse(must));
}

export function boolean(must: string): Read<boolean> {
  return (value) => (typeof value === "boolean" ? value : refuse(must));
}

/** One of several names, matched without regard to case; `aliases`, in lower case, are other spellings. */
export function oneOf<T extends string>(
  names: readonly T[],
  must: string,
  aliases: Readonly<Record<string, T>> = {},
): Read<T> {
  const known = new Map([...Object.entries(aliases), ...names.map((name) => [name.toLowerCase(), name] as const)]);
  return (value) => known.get(String(value).toLowerCase()) ?? refuse(must);
}

export function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value) => (value === undefined ? undefined : read(value));
}

export function listOf<T>(item: Read<T>, must: string, max = Number.POSITIVE_INFINITY): Read<T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > max) return refuse(must);
    return value.map((each, index) => readAt(String(index), item, each));
  };
}

export function mapOf<T>(item: Read<T>, must: string): Read<Record<string, T>> {
  return (value) => {
    if (!isObject(value)) return refuse(must);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, readAt(key, item, each)]));
  };
}

/** An object with these keys. Others are left out. */
export function objectOf<T extends object>(fields: { readonly [K in keyof T]-?: Read<T[K]> }, must: string): Read<T> {
  const entries = Object.entries<Read<unknown>>(fields);
  return (value) => {
    if (!isObject(value)) return refuse(must);
    const read = entries.map(([key, item]) => [key, readAt(key, item, value[key])] as const);
    // Each key was read by its own type's reader.
    return Object.fromEntries(read.filter(([, each]) => each !== undefined)) as T;
  };
}

function readAt<T>(key: string, read: Read<T>, value: unknown): T {
  try {
    return read(value);
  } catch (error) {
    if (error instanceof RefusedValue) throw new RefusedValue(error.message, [key, ...error.path]);
    throw error;
  }
}

function refuse(must: string): never {
  throw new RefusedValue(`must be ${must}`);
}
