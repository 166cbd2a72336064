import type { KubeObject, KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi, type MemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { watchDeliveredSecrets } from "./delivered-secrets.ts";
import { createImagePullCopier } from "./image-pull-copier.ts";

const SOURCE = "flyte";
const PLACE = { namespace: "shop-development", name: "img-pull-0123456789abcdef" };
const LABELS = {
  "app.flyte.org/managed-by": "flyte-secrets-webhook",
  "app.flyte.org/copied-from": SOURCE,
  "union.ai/secret-type": "image-pull-secret",
};
const ANNOTATIONS = { "app.flyte.org/needed-until": "2026-01-02T03:04:05.000Z", "app.flyte.org/named-by-pod": "true" };

const secret = (namespace: string, value: string, change: Partial<KubeSecret["metadata"]> = {}): KubeSecret => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/dockerconfigjson",
  metadata: { namespace, name: PLACE.name, labels: { "union.ai/secret-type": "image-pull-secret" }, ...change },
  data: { ".dockerconfigjson": Buffer.from(value).toString("base64") },
});
const copy = (value: string) => secret(PLACE.namespace, value, { labels: LABELS, annotations: ANNOTATIONS });

/**
 * Syncs a copy of `one` with a source that is something else each time it is read; `meanwhile` happens after
 * the first time.
 */
async function syncAfter(sources: (string | undefined)[], meanwhile: (api: MemoryApi) => void) {
  const api = createMemoryApi();
  const clock = createManualClock();
  api.put(copy("one"));
  const { namespace } = PLACE;
  const written = watchDeliveredSecrets({ client: api.client, namespace, clock, log: pino({ enabled: false }) });
  onTestFinished(() => written.close());
  await clock.advance(0);
  let isFirst = true;
  const sync = createImagePullCopier({
    client: api.client,
    sources: {
      async read() {
        const value = sources.length > 1 ? sources.shift() : sources[0];
        if (isFirst) meanwhile(api);
        isFirst = false;
        return value === undefined ? undefined : secret(SOURCE, value);
      },
      find: () => undefined,
      isFresh: () => true,
      digestOf: () => undefined,
      async close() {},
    },
    source: SOURCE,
    deliveredIn: () => written,
    lifetimes: { unusedMs: 3_600_000, unnamedMs: 600_000 },
    clock,
    signal: new AbortController().signal,
  });
  await Promise.all([sync(PLACE, "sourceChanged"), clock.advance(1_000)]);
  const found: (KubeObject & Pick<KubeSecret, "data">) | undefined = api.read(PLACE.name, PLACE.namespace);
  return found && Buffer.from(found.data?.[".dockerconfigjson"] ?? "", "base64").toString();
}

test("is like its source, and gone where that is", async () => {
  expect(await syncAfter(["two"], () => {})).toBe("two");
  expect(await syncAfter([undefined], () => {})).toBeUndefined();
});

test("an older content never takes the place of a newer one that another has copied meanwhile", async () => {
  expect(await syncAfter(["two", "three"], (api) => api.put(copy("three")))).toBe("three");
});

test("a copy of a source that is there again is not deleted with the one that has gone", async () => {
  expect(await syncAfter([undefined, "two"], (api) => api.put(copy("two")))).toBe("two");
});
