import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { DeliveredCounts } from "./delivered-secret-index.ts";

/** Limits for one namespace: the settings of `webhook.writtenSecrets`. */
export interface WriteLimitSettings {
  readonly maxSecrets: number;
  readonly maxUnnamed: number;
  readonly maxUnnamedBytes: number;
  /** Writes by this process. */
  readonly maxWritesPerMinute: number;
}

export interface WriteLimitsOptions {
  readonly settings: WriteLimitSettings;
  readonly clock: Clock;
  /** Called for each write that a limit refuses. */
  readonly onRefused?: ((setting: keyof WriteLimitSettings) => void) | undefined;
}

/**
 * Keeps one namespace from exhausting shared resources: etcd, the rate limit of the API server, the webhook's memory.
 */
export interface WriteLimits {
  /** Counts a write to a namespace. Throws `too_many_secrets` with the name of the limit. */
  countWrite(namespace: string): void;
  /** {@link WriteLimits.countWrite} for a new Secret of `bytes`. */
  countNew(namespace: string, written: DeliveredCounts, bytes: number): void;
  /** Uncounts a write that was not needed. */
  giveBack(namespace: string): void;
}

const MINUTE_MS = 60_000;

export function createWriteLimits({ settings, clock, onRefused }: WriteLimitsOptions): WriteLimits {
  /** Writes since `began`, by namespace. */
  const writes = new Map<string, number>();
  let began = clock.elapsed();

  const refuse = (setting: keyof WriteLimitSettings, what: string, remedy: string) => {
    onRefused?.(setting);
    const limit = `webhook.writtenSecrets.${setting} (${settings[setting]})`;
    return new SecretsError("too_many_secrets", `${what}, over ${limit}. ${remedy}, or set it higher.`);
  };

  function countWrite(namespace: string): void {
    const now = clock.elapsed();
    if (now - began >= MINUTE_MS) {
      writes.clear();
      began = now;
    }
    const count = (writes.get(namespace) ?? 0) + 1;
    if (count > settings.maxWritesPerMinute) {
      const what = `Namespace ${namespace} needs more Secrets written in a minute`;
      throw refuse("maxWritesPerMinute", what, "Try again in a minute");
    }
    writes.set(namespace, count);
  }

  return {
    countWrite,
    countNew(namespace, { secrets, unnamed, unnamedBytes }, bytes) {
      if (secrets >= settings.maxSecrets) {
        const what = `Namespace ${namespace} would have ${secrets + 1} Secrets that were written for pods`;
        throw refuse("maxSecrets", what, "Try again when some are collected that no pod names");
      }
      const remedy = "Pods that are refused leave them; try again when they are collected";
      if (unnamed >= settings.maxUnnamed) {
        const what = `Namespace ${namespace} would have ${unnamed + 1} written Secrets that no pod was seen to name`;
        throw refuse("maxUnnamed", what, remedy);
      }
      if (unnamedBytes + bytes > settings.maxUnnamedBytes) {
        const size = unnamedBytes + bytes;
        const what = `Namespace ${namespace} would have ${size} bytes in written Secrets that no pod was seen to name`;
        throw refuse("maxUnnamedBytes", what, remedy);
      }
      countWrite(namespace);
    },
    giveBack(namespace) {
      const count = writes.get(namespace);
      if (count !== undefined) writes.set(namespace, count - 1);
    },
  };
}
