import { imagePullSecretName, kubernetesSecretName, type SecretId, SecretValue } from "@flyte-secrets/core";
import { type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { createImagePullMirror } from "./image-pull-mirror.ts";
import { toManagedSecret } from "./managed-secret.ts";

const id: SecretId = { org: "flyte", domain: "", project: "", name: "registry" };
const managed = (value: string) =>
  toManagedSecret(id, { value: SecretValue.fromText(value), type: "image_pull" }, "flyte");

/** A mirror over an API server to which others do something whenever the managed Secret is read. */
function setUp(...others: (() => void)[]) {
  const api = createMemoryApi();
  const clock = createManualClock();
  const name = kubernetesSecretName(id);
  const readSource = async (_: SecretId, signal: AbortSignal) => {
    const source = await api.client.get(SECRETS, { namespace: "flyte", name }, { signal });
    others.shift()?.();
    return source;
  };
  const mirror = createImagePullMirror({ client: api.client, namespace: "pulls", clock, readSource });
  return {
    api,
    write: (value: string) => api.put(managed(value)),
    remove: () => api.remove(name),
    async follow() {
      await Promise.all([mirror.follow(id, new AbortController().signal), clock.advance(1_000)]);
    },
    mirrored() {
      // The one kind that is kept here.
      const secret = api.read(imagePullSecretName(id)) as KubeSecret | undefined;
      return secret && Buffer.from(secret.data?.[".dockerconfigjson"] ?? "", "base64").toString();
    },
  };
}

test("an older value that was read never replaces a newer one", async () => {
  const mirror = setUp(() => {
    // Somebody else, from beginning to end.
    mirror.write("new");
    const type = "kubernetes.io/dockerconfigjson";
    const data = { ".dockerconfigjson": Buffer.from("new").toString("base64") };
    mirror.api.put<KubeSecret>({
      ...managed("new"),
      metadata: { namespace: "pulls", name: imagePullSecretName(id) },
      type,
      data,
    });
  });
  mirror.write("old");
  await mirror.follow();
  expect(mirror.mirrored()).toBe("new");
});

test("a change right after the value was read is followed too", async () => {
  const mirror = setUp(() => mirror.write("new"));
  mirror.write("old");
  await mirror.follow();
  expect(mirror.mirrored()).toBe("new");
});

test("one who deletes both right after the value was read finds it deleted in the end", async () => {
  const mirror = setUp(() => mirror.remove());
  mirror.write("old");
  await mirror.follow();
  expect(mirror.mirrored()).toBeUndefined();
});

test("a mirror that equals the managed Secret is not written again", async () => {
  const mirror = setUp();
  mirror.write("v");
  await mirror.follow();
  await mirror.follow();
  expect(mirror.api.writes).toHaveLength(1);
});

test("a Secret of another type in its place is left alone, and named", async () => {
  const mirror = setUp();
  mirror.write("v");
  const foreign = {
    ...managed("theirs"),
    metadata: { namespace: "pulls", name: imagePullSecretName(id) },
    type: "Opaque",
  };
  mirror.api.put(foreign);
  await expect(mirror.follow()).rejects.toMatchObject({
    code: "call_refused",
    message: `Secret ${imagePullSecretName(id)} in namespace pulls is in the way: it is none of type kubernetes.io/dockerconfigjson. Delete it.`,
  });
  expect(mirror.api.read(imagePullSecretName(id))).toMatchObject(foreign);
});
