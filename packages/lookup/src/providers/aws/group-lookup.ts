import {
  createSignalRace,
  type GroupLookup,
  type GroupResult,
  jsonMembers,
  quote,
  SecretValue,
} from "@flyte-secrets/core";
import { type CacheKey, ValueCache, type ValueCacheOptions } from "../../cache/value-cache.ts";
import { unreadable } from "../failures.ts";
import type { SecretProvider } from "../secret-provider.ts";

/**
 * Names and ARNs of AWS secrets
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html).
 */
const SECRET_NAME = /^[-a-zA-Z0-9/_+=.@:]{1,2048}$/;

export interface GroupLookupOptions extends Omit<ValueCacheOptions<string>, "fetchAll"> {
  readonly provider: Pick<SecretProvider, "name" | "read">;
}

export interface CachedGroupLookup extends GroupLookup {
  /** Forgets everything. */
  clear(): void;
  /** Forgets everything and aborts the calls in flight. */
  close(): void;
}

/**
 * Finds keys in secrets that are named by a request's group. If the secret is a JSON object, the value is its member of
 * that key; otherwise it is the whole content. Answers are cached like those of any lookup.
 */
export function createGroupLookup({ provider, ...options }: GroupLookupOptions): CachedGroupLookup {
  const cache = new ValueCache<string>({ ...options, fetchAll: (groups, call) => provider.read(groups, call) });
  const raceSignal = createSignalRace();
  /** The members of each secret that is a JSON object, parsed once for as long as the cache holds it. */
  const parsed = new WeakMap<SecretValue, ReadonlyMap<string, Member> | "whole">();

  function memberOf(whole: SecretValue, group: string, key: string): SecretValue | undefined {
    const members = parsed.get(whole) ?? parseMembers(whole);
    parsed.set(whole, members);
    const member = members === "whole" ? whole : members.get(key);
    if (member !== undefined && "problem" in member) throw unreadable(provider.name, `${group}/${key}`, member.problem);
    return member;
  }

  return {
    async findInGroup(group, key, { signal } = {}): Promise<GroupResult> {
      if (!SECRET_NAME.test(group)) return notFound(`no ${provider.name} secret can be called ${quote(group)}`);
      const cacheKey: CacheKey<string> = { text: group, id: group };
      const cached = cache.peek(cacheKey, options.clock());
      const { value: whole } = cached ?? (await raceSignal(signal, () => cache.fetch(cacheKey)));
      if (whole === undefined) return notFound(`there is no ${provider.name} secret ${quote(group)}`);
      const value = memberOf(whole, group, key);
      if (value === undefined) {
        return notFound(`the ${provider.name} secret ${quote(group)} has no member ${quote(key)}`);
      }
      return { found: true, value, label: `${provider.name}:${group}/${key}` };
    },
    clear: () => cache.clear(),
    close: () => cache.close(),
  };
}

const notFound = (reason: string): GroupResult => ({ found: false, reason });

/** The value of a member, or why it has none. */
type Member = SecretValue | { readonly problem: string };

function parseMembers(whole: SecretValue): ReadonlyMap<string, Member> | "whole" {
  const members = jsonMembers(whole.revealText() ?? "");
  return members ? new Map([...members].map(([name, texts]) => [name, toMember(texts)])) : "whole";
}

/**
 * A string is decoded. Numbers, objects and arrays stay as they are written, because parsing them would change some.
 */
function toMember([text = "", ...others]: readonly string[]): Member {
  if (others.length > 0) return { problem: "the member occurs twice, which JSON parsers treat differently" };
  if (text === "null") return { problem: "the member is null" };
  const value: string = text.startsWith('"') ? JSON.parse(text) : text;
  // A lone surrogate cannot be encoded in UTF-8.
  return value.isWellFormed() ? SecretValue.fromText(value) : { problem: "the member is not well-formed Unicode" };
}
