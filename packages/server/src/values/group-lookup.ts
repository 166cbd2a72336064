import { type GroupLookup, type GroupResult, quote, SecretValue } from "@flyte-secrets/core";
import type { NamedBackend } from "./fetchers/named-fetcher.ts";
import { createSettleBefore } from "./settle-before.ts";
import { type Slot, ValueCache, type ValueCacheOptions } from "./value-cache.ts";

/** What the name of an AWS secret, or its ARN, can be (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html). */
const SECRET_NAME = /^[-a-zA-Z0-9/_+=.@:]{1,2048}$/;

export interface GroupLookupOptions extends Omit<ValueCacheOptions<string>, "fetchAll"> {
  readonly backend: Pick<NamedBackend, "name" | "read">;
}

export interface CachedGroupLookup extends GroupLookup {
  /** Forgets everything and ends the calls under way. */
  clear(): void;
  close(): void;
}

/**
 * Finds keys in the secrets that are called as a request's group (spec page 7): of a JSON object its member of that key, of other
 * content the whole. Cached as other values are.
 */
export function createGroupLookup({ backend, ...options }: GroupLookupOptions): CachedGroupLookup {
  const cache = new ValueCache<string>({ ...options, fetchAll: (groups, call) => backend.read(groups, call) });
  const settleBefore = createSettleBefore();
  /**
   * The members of what is a JSON object: the same values each time, as long as the cache has it. What else a pod asks for isn't
   * remembered.
   */
  const taken = new WeakMap<SecretValue, ReadonlyMap<string, SecretValue> | "whole">();

  function take(whole: SecretValue, key: string): SecretValue | undefined {
    const members = taken.get(whole) ?? membersOf(whole);
    taken.set(whole, members);
    return members === "whole" ? whole : members.get(key);
  }

  return {
    async findInGroup(group, key, { signal } = {}): Promise<GroupResult> {
      if (!SECRET_NAME.test(group)) return notFound(`no ${backend.name} secret can be called ${quote(group)}`);
      const slot: Slot<string> = { text: group, id: group };
      const known = cache.peek(slot, options.clock());
      const { value: whole } = known ?? (await settleBefore(signal, () => cache.fetch(slot)));
      if (whole === undefined) return notFound(`there is no ${backend.name} secret ${quote(group)}`);
      const value = take(whole, key);
      if (value === undefined)
        return notFound(`the ${backend.name} secret ${quote(group)} has no member ${quote(key)}`);
      return { found: true, value, label: `${backend.name}:${group}/${key}` };
    },
    clear: () => cache.clear(),
    close: () => cache.close(),
  };
}

const notFound = (reason: string): GroupResult => ({ found: false, reason });

function membersOf(whole: SecretValue): ReadonlyMap<string, SecretValue> | "whole" {
  const object = parseObject(whole.revealText());
  if (object === undefined) return "whole";
  const text = (member: unknown) => (typeof member === "string" ? member : JSON.stringify(member));
  return new Map(Object.entries(object).map(([name, member]) => [name, SecretValue.fromText(text(member))]));
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    // An object of JSON has text keys.
    return isObject ? (parsed as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
