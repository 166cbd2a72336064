import { setTimeout as delay } from "node:timers/promises";
import { isSecretsError, type SecretId, type SecretStore, SecretValue } from "@flyte-secrets/core";

/** One value of a secret: its text is its number. */
export interface Rotated {
  readonly number: number;
  /** From when on readers may see it, and from when on they could know it. `performance.now()`. */
  readonly sentMs: number;
  readonly ackedMs: number;
}

export interface Rotation {
  /** Those that were acknowledged. */
  readonly values: readonly Rotated[];
  /** Sends no more; the last one is acknowledged when this resolves. */
  stop(): Promise<readonly Rotated[]>;
}

/** The text of a value, and its number. */
export const rotatedText = (number: number) => `value-${number}`;
export const rotatedNumber = (text: string) => Number(/^value-(\d+)$/.exec(text)?.[1] ?? Number.NaN);

/**
 * Gives the secret, which must be there, one value after the other, numbered from `first` on; one that fails is sent
 * again until it is acknowledged.
 */
export function startRotation(
  store: Pick<SecretStore, "update">,
  { id, first, everyMs }: { readonly id: SecretId; readonly first: number; readonly everyMs: number },
): Rotation {
  const values: Rotated[] = [];
  let stopping = false;
  const send = async (number: number) => {
    const sentMs = performance.now();
    for (;;) {
      try {
        await store.update(id, SecretValue.fromText(rotatedText(number)), { signal: AbortSignal.timeout(5_000) });
        return { number, sentMs, ackedMs: performance.now() };
      } catch (error) {
        if (!isSecretsError(error)) throw error;
        await delay(everyMs);
      }
    }
  };
  const run = async () => {
    for (let number = first; !stopping; number++) {
      values.push(await send(number));
      await delay(everyMs);
    }
  };
  const running = run();
  return {
    values,
    async stop() {
      stopping = true;
      await running;
      return values;
    },
  };
}
