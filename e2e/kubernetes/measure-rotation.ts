import { setTimeout as delay } from "node:timers/promises";
import { type SecretStore, SecretValue } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { ask } from "@flyte-secrets/webhook/testing";
import { openDirectReviews, REVIEWED, readWritten, writtenName } from "./direct-reviews.ts";
import { rotatedNumber, rotatedText } from "./rotation.ts";
import type { WebhookReplica } from "./webhook-replicas.ts";

/** Between two admissions of a replica: the resolution of what is measured. */
const PAUSE_MS = 2;

export interface RotationMeasure {
  /** For each update and replica, from sending the update to the answer of the first admission that has it. */
  readonly delaysMs: readonly number[];
  /** Admissions that had an older value than one before them. Must be empty. */
  readonly stale: readonly string[];
  readonly admissions: number;
}

export interface RotationOrder {
  /** Of the cluster. */
  readonly client: KubeClient;
  readonly replicas: readonly WebhookReplica[];
  /** Over the same managed Secrets. */
  readonly store: Pick<SecretStore, "create" | "update">;
  readonly updates: number;
}

/**
 * Updates a secret again and again, each time once all replicas admit pods with the new value, which they do all the
 * time.
 */
export async function measureRotation({ client, replicas, store, updates }: RotationOrder): Promise<RotationMeasure> {
  const { namespace, ...scope } = REVIEWED;
  const id = { ...scope, name: "measured" };
  await store.create(id, { value: SecretValue.fromText(rotatedText(0)), type: "generic" });
  const watched = await Promise.all(replicas.map((replica) => watchReplica(client, replica)));
  const delaysMs: number[] = [];
  try {
    await Promise.all(watched.map((replica) => replica.other("")));
    for (let number = 1; number <= updates; number++) {
      const seen = watched.map((replica) => replica.other(replica.latest()));
      const sentMs = performance.now();
      await store.update(id, SecretValue.fromText(rotatedText(number)));
      for (const endedMs of await Promise.all(seen)) delaysMs.push(endedMs - sentMs);
    }
  } finally {
    await Promise.all(watched.map((replica) => replica.stop()));
  }
  const texts = await readWritten(client, namespace);
  const numbers = watched.map(({ names }) => names.map((name) => rotatedNumber(texts.get(name) ?? "")));
  const stale = numbers.flatMap((of, replica) =>
    of.flatMap((number, at) => {
      const before = of[at - 1] ?? 0;
      // Also where there is no such Secret, or it has something else.
      return number >= before ? [] : [`replica ${replica}: value ${number} after ${before}`];
    }),
  );
  return { delaysMs, stale, admissions: numbers.flat().length };
}

/** Has one replica admit pods without end. */
async function watchReplica(client: KubeClient, replica: WebhookReplica) {
  const reviews = await openDirectReviews(client, replica, [ask("measured")]);
  /** The Secret of each admission, in order. */
  const names: string[] = [];
  let waiting: { than: string; resolve(endedMs: number): void; reject(error: unknown): void } | undefined;
  let stopping = false;
  const run = async () => {
    while (!stopping) {
      const name = writtenName(await reviews.admit());
      names.push(name);
      if (waiting !== undefined && waiting.than !== name) {
        waiting.resolve(performance.now());
        waiting = undefined;
      }
      await delay(PAUSE_MS);
    }
  };
  const running = run().catch((error: unknown) => waiting?.reject(error));
  return {
    names,
    latest: () => names.at(-1) ?? "",
    /** When the first admission from now on ends that has another Secret than this. */
    other: (than: string) =>
      new Promise<number>((resolve, reject) => {
        waiting = { than, resolve, reject };
      }),
    async stop() {
      stopping = true;
      await running;
      reviews.close();
    },
  };
}
