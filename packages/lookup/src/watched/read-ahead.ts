/** Marks of changes that are kept without a read since. */
const MAX_STALE = 1_000;

/** The resource version of an object, or that there is none. */
export type ObjectVersion = number | "absent";

/**
 * Where a watch is behind: objects that were read directly in a state that the watch has not delivered yet, and objects
 * that were reported as changed and have not been read since. Both are told apart by name.
 */
export class ReadAhead {
  readonly #versions = new Map<string, ObjectVersion>();
  /** The number of the last read that was begun before the change, by name; oldest first. */
  readonly #stale = new Map<string, number>();
  #reads = 0;

  /** An object was changed: what the watch delivered of it is stale until it has been read. */
  markStale(name: string): void {
    this.#stale.delete(name);
    this.#stale.set(name, this.#reads);
    const [oldest] = this.#stale.keys();
    // The watch delivers the change a moment later.
    if (oldest !== undefined && this.#stale.size > MAX_STALE) this.#stale.delete(oldest);
  }

  /** The number of a direct read that begins now, for {@link recordRead}. */
  beginRead(): number {
    return ++this.#reads;
  }

  /**
   * Records the result of a direct read, because the next watch event may be older. `watched` is what the watch
   * delivered.
   */
  recordRead(name: string, version: ObjectVersion, { read, watched }: { read: number; watched: ObjectVersion }): void {
    if (read > (this.#stale.get(name) ?? read)) this.#stale.delete(name);
    const newest = newerOf(version, this.#versions.get(name));
    if (hasReached(watched, newest)) this.#versions.delete(name);
    else this.#versions.set(name, newest);
  }

  /** Whether an object was read in a state that the watch has not delivered, or was changed and not read since. */
  isStale(name: string, watched: () => ObjectVersion): boolean {
    if (this.#stale.has(name)) return true;
    const version = this.#versions.get(name);
    if (version === undefined) return false;
    if (!hasReached(watched(), version)) return true;
    this.#versions.delete(name);
    return false;
  }

  /** Whether nothing is stale, whatever its name. */
  get isEmpty(): boolean {
    return this.#versions.size === 0 && this.#stale.size === 0;
  }
}

/** Reads may be answered out of order. That an object is absent has no version: the last answer counts. */
function newerOf(version: ObjectVersion, before: ObjectVersion | undefined): ObjectVersion {
  return typeof version === "number" && typeof before === "number" ? Math.max(version, before) : version;
}

/**
 * Versions of one kind of object grow with time
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
 */
function hasReached(watched: ObjectVersion, version: ObjectVersion): boolean {
  if (version === "absent") return watched === "absent";
  return watched !== "absent" && watched >= version;
}
