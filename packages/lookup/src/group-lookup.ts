import {
  createSignalRace,
  type GroupLookup,
  type GroupResult,
  jsonMembers,
  quote,
  SecretValue,
} from "@flyte-secrets/core";
import { type Slot, ValueCache, type ValueCacheOptions } from "./cache/value-cache.ts";
import { unreadable } from "./providers/fetch-failures.ts";
import type { NamedBackend } from "./providers/named-fetcher.ts";

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
 * Finds keys in the secrets that are called as a request's group: of a JSON object its member of that key, of other
 * content the whole. Cached as other values are.
 */
export function createGroupLookup({ backend, ...options }: GroupLookupOptions): CachedGroupLookup {
  const cache = new ValueCache<string>({ ...options, fetchAll: (groups, call) => backend.read(groups, call) });
  const raceSignal = createSignalRace();
  /**
   * The members of what is a JSON object: the same values each time, as long as the cache has it. What else a pod asks for isn't
   * remembered.
   */
  const taken = new WeakMap<SecretValue, ReadonlyMap<string, Member> | "whole">();

  function take(whole: SecretValue, group: string, key: string): SecretValue | undefined {
    const members = taken.get(whole) ?? membersOf(whole);
    taken.set(whole, members);
    const member = members === "whole" ? whole : members.get(key);
    if (member !== undefined && "problem" in member) throw unreadable(backend.name, `${group}/${key}`, member.problem);
    return member;
  }

  return {
    async findInGroup(group, key, { signal } = {}): Promise<GroupResult> {
      if (!SECRET_NAME.test(group)) return notFound(`no ${backend.name} secret can be called ${quote(group)}`);
      const slot: Slot<string> = { text: group, id: group };
      const known = cache.peek(slot, options.clock());
      const { value: whole } = known ?? (await raceSignal(signal, () => cache.fetch(slot)));
      if (whole === undefined) return notFound(`there is no ${backend.name} secret ${quote(group)}`);
      const value = take(whole, group, key);
      if (value === undefined)
        return notFound(`the ${backend.name} secret ${quote(group)} has no member ${quote(key)}`);
      return { found: true, value, label: `${backend.name}:${group}/${key}` };
    },
    clear: () => cache.clear(),
    close: () => cache.close(),
  };
}

const notFound = (reason: string): GroupResult => ({ found: false, reason });

/** A member's value, or why it has none. */
type Member = SecretValue | { readonly problem: string };

function membersOf(whole: SecretValue): ReadonlyMap<string, Member> | "whole" {
  const members = jsonMembers(whole.revealText() ?? "");
  return members ? new Map([...members].map(([name, texts]) => [name, toMember(texts)])) : "whole";
}

/**
 * A text is itself; numbers, objects and lists are as they are written, since reading them as JavaScript's would change
 * some.
 */
function toMember([text = "", ...others]: readonly string[]): Member {
  if (others.length > 0) return { problem: "the member stands there twice, which readers take differently" };
  if (text === "null") return { problem: "the member is null" };
  const value: string = text.startsWith('"') ? JSON.parse(text) : text;
  // Half of a pair of surrogates has no UTF-8.
  return value.isWellFormed() ? SecretValue.fromText(value) : { problem: "the member is no well-formed Unicode" };
}
