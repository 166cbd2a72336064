import { createHash } from "node:crypto";
import {
  lookupIds,
  type ScopeLookup,
  type SecretRequest,
  SecretsError,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createEmbeddedInjector } from "../managers/embedded.ts";
import { createGlobalInjector } from "../managers/global.ts";
import { createK8sInjector } from "../managers/k8s.ts";
import { createMutator } from "../mutator.ts";
import { parsePod } from "../pod/parse-pod.ts";
import type { Pod } from "../pod/pod.ts";
import type { SecretToDeliver, WriteOptions } from "./delivery.ts";
import { createSecretRefDelivery, type SecretWriter } from "./secret-ref.ts";

const LABELS = { organization: "flyte", domain: "dev", project: "p1" };
const OWNER = { apiVersion: "flyte.org/v1", kind: "TaskAction", name: "a", uid: "u" };
const id = (key: string) => `u__org__flyte__domain__dev__project__p1__key__${key}`;

function requestOf(fields: Partial<SecretRequest>): SecretRequest {
  return { group: "", groupVersion: "", key: "", mountRequirement: 0, envVar: "", ...fields };
}

function podOf(...requests: Partial<SecretRequest>[]): Pod {
  return parsePod({
    metadata: {
      namespace: "p1-dev",
      labels: LABELS,
      annotations: toRequestAnnotations(requests.map(requestOf)),
      ownerReferences: [OWNER],
    },
    spec: { containers: [{ name: "main" }] },
  });
}

interface Setting {
  /** By key; at project scope. */
  readonly values?: Readonly<Record<string, string>>;
  /** The namespace where they lie, if in Kubernetes. */
  readonly namespace?: string;
  readonly write?: SecretWriter["write"];
}

function setUp({ values = {}, namespace, write }: Setting) {
  const written: { namespace: string; secrets: readonly SecretToDeliver[]; options: WriteOptions }[] = [];
  const lookup: ScopeLookup = {
    async find(scope, key) {
      const [narrowest] = lookupIds(scope, key);
      const text = values[key];
      if (text === undefined || !narrowest) return { found: false, attempts: [] };
      const value = SecretValue.fromText(text);
      return { found: true, ...narrowest, value, attempts: [], ...(namespace && { namespace }) };
    },
  };
  const mutator = createMutator({
    managers: [
      createGlobalInjector({
        readVariable: (name) => (name === "FLYTE_SECRET_G_K" ? "global" : undefined),
        readFile: async () => undefined,
      }),
      createEmbeddedInjector({ lookup }),
      createK8sInjector({ lookup, copies: true }),
    ],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
    delivery: createSecretRefDelivery({
      writer: {
        async write(namespace, secrets, options) {
          await write?.(namespace, secrets, options);
          written.push({ namespace, secrets, options });
        },
      },
      namingKey: new Uint8Array(32),
    }),
  });
  return { mutator, written };
}

async function changed(mutation: ReturnType<ReturnType<typeof createMutator>["mutate"]>) {
  const result = await mutation;
  if (!result.changed) throw new Error("the pod was to change");
  return result;
}

/**
 * The mutation with the names of the Secrets that are written, which a test of its own looks at, replaced by their data
 * keys.
 */
function withoutDigests<T>({ mutation, part }: { mutation: { secrets: readonly SecretToDeliver[] }; part: T }): T {
  const keys = new Map(mutation.secrets.map(({ name, data }) => [name, `copy of ${Object.keys(data).join()}`]));
  return JSON.parse(JSON.stringify(part).replace(/flyte-secrets-[0-9a-f]{32}/g, (name) => keys.get(name) ?? name));
}

describe("delivery SecretRef", () => {
  it("writes each value of a pod into a Secret of its own, to which the pod refers", async () => {
    const { mutator, written } = setUp({ values: { password: "hunter2", "my-key": "k", cert: "c" } });
    const pod = podOf(
      { key: "password" },
      { key: "my-key", envVar: "MY_KEY" },
      { key: "cert", mountRequirement: 2, envVar: "CERT" },
      { key: "password", mountRequirement: 2 },
      { group: "g", key: "k", mountRequirement: 1 },
    );
    const mutation = await changed(mutator.mutate(pod));

    const ref = (key: string) => ({ secretKeyRef: { name: `copy of ${key}`, key } });
    expect(withoutDigests({ mutation, part: mutation.pod })).toEqual({
      metadata: pod.metadata,
      spec: {
        containers: [
          {
            name: "main",
            env: [
              { name: "_UNION_G_K", valueFrom: ref("global__g__k") },
              { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
              { name: "CERT", value: "/etc/flyte/secrets/cert" },
              { name: "FLYTE_SECRETS_FILE_PREFIX", value: "" },
              { name: "FLYTE_SECRETS_DEFAULT_DIR", value: "/etc/flyte/secrets" },
              { name: "MY_KEY", valueFrom: ref(id("my-key")) },
              { name: "_UNION_PASSWORD", valueFrom: ref(id("password")) },
            ],
            volumeMounts: [{ name: "embedded-secret-vol", mountPath: "/etc/flyte/secrets", readOnly: true }],
          },
        ],
        volumes: [
          {
            name: "embedded-secret-vol",
            projected: {
              sources: [
                { secret: { name: `copy of ${id("cert")}`, items: [{ key: id("cert"), path: "cert" }] } },
                { secret: { name: `copy of ${id("password")}`, items: [{ key: id("password"), path: "password" }] } },
              ],
              defaultMode: 0o444,
            },
          },
        ],
      },
    });
    const secret = (key: string, value: string): SecretToDeliver => ({
      name: expect.stringMatching(/^flyte-secrets-[0-9a-f]{32}$/),
      labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" },
      data: { [key]: SecretValue.fromText(value) },
    });
    const secrets = [
      secret(id("password"), "hunter2"),
      secret(id("my-key"), "k"),
      secret(id("cert"), "c"),
      secret("global__g__k", "global"),
    ];
    expect(mutation.secrets).toEqual(secrets);
    expect(revealed(mutation.secrets)).toEqual(["hunter2", "k", "c", "global"]);
    expect(written).toEqual([{ namespace: "p1-dev", secrets, options: { owners: [OWNER], dryRun: false } }]);
    expect(JSON.stringify(mutation.secrets)).not.toContain("hunter2");
  });

  it("needs no more Secrets than there are values, whatever combinations of them pods ask for", async () => {
    const keys = ["a", "b", "c", "d"];
    const { mutator } = setUp({ values: Object.fromEntries(keys.map((key) => [key, "the same"])) });
    const names = new Set<string>();
    for (let combination = 1; combination < 2 ** keys.length; combination++) {
      const asked = keys.filter((_, at) => (combination >> at) % 2 === 1);
      const { secrets } = await changed(mutator.mutate(podOf(...asked.map((key) => ({ key })))));
      expect(secrets.flatMap(({ data }) => Object.keys(data))).toEqual(asked.map(id));
      for (const { name } of secrets) names.add(name);
    }
    expect(names.size).toBe(keys.length);
  });

  it("names a Secret after id and value: a changed value is another", async () => {
    const nameOf = async (values: Record<string, string>, ...keys: string[]) => {
      const pod = podOf(...keys.map((key) => ({ key })));
      return (await changed(setUp({ values }).mutator.mutate(pod))).secrets.map((secret) => secret.name);
    };
    const [a, b] = await nameOf({ a: "1", b: "2" }, "a", "b");
    expect(await nameOf({ a: "1", b: "2" }, "b", "a", "a")).toEqual([b, a]);
    expect(await nameOf({ a: "1", b: "3" }, "a", "b")).toEqual([a, expect.not.stringMatching(b ?? "")]);
    expect(await nameOf({ a: "2" }, "a")).not.toEqual([a]);
  });

  it("names it differently with another key, so that a name is no means to try values out", async () => {
    const nameWith = (namingKey?: Uint8Array) => {
      const delivery = createSecretRefDelivery({ writer: { async write() {} }, ...(namingKey && { namingKey }) });
      const source = { kind: "value", value: SecretValue.fromText("v"), label: "a" } as const;
      return delivery.deliver([[{ kind: "secretVariable", name: "A", source }]]).secrets[0]?.name;
    };
    expect(nameWith(new Uint8Array(32))).toBe(nameWith(new Uint8Array(32)));
    expect(
      new Set([nameWith(new Uint8Array(32)), nameWith(new Uint8Array(32).fill(1)), nameWith(), nameWith()]).size,
    ).toBe(4);
  });

  it("refers to a managed Secret that lies in the pod's namespace, and writes nothing", async () => {
    const { mutator, written } = setUp({ values: { a: "1", b: "2" }, namespace: "p1-dev" });
    const mutation = await changed(mutator.mutate(podOf({ key: "a" }, { key: "b", mountRequirement: 2 })));
    expect(written).toEqual([]);
    expect(mutation.secrets).toEqual([]);
    expect(mutation.pod.spec.containers[0]?.env?.at(-2)).toEqual({
      name: "_UNION_A",
      valueFrom: { secretKeyRef: { name: md5(id("a")), key: id("a") } },
    });
    expect(mutation.pod.spec.volumes).toEqual([
      {
        name: "embedded-secret-vol",
        secret: { secretName: md5(id("b")), items: [{ key: id("b"), path: "b" }], defaultMode: 0o444 },
      },
    ]);
  });

  it("carries files of K8s and Embedded in one volume, where a directory could not be made inside a mount", async () => {
    const { mutator } = setUp({ values: { a: "1" } });
    const mutation = await changed(
      mutator.mutate(
        podOf(
          { group: "Db", key: "Token", mountRequirement: 2, envVar: "TOKEN" },
          { key: "a", mountRequirement: 2 },
          { group: "Db", key: "other", mountRequirement: 2 },
        ),
      ),
    );
    expect(mutation.warnings).toEqual([]);
    expect(withoutDigests({ mutation, part: mutation.pod.spec })).toEqual({
      containers: [
        {
          name: "main",
          env: [
            { name: "FLYTE_SECRETS_FILE_PREFIX", value: "" },
            { name: "FLYTE_SECRETS_DEFAULT_DIR", value: "/etc/flyte/secrets" },
            { name: "TOKEN", value: "/etc/flyte/secrets/db/token" },
          ],
          volumeMounts: [{ name: "embedded-secret-vol", mountPath: "/etc/flyte/secrets", readOnly: true }],
        },
      ],
      volumes: [
        {
          name: "embedded-secret-vol",
          projected: {
            sources: [
              {
                secret: {
                  name: "Db",
                  items: [
                    { key: "Token", path: "db/token" },
                    { key: "other", path: "db/other" },
                  ],
                  optional: true,
                },
              },
              { secret: { name: `copy of ${id("a")}`, items: [{ key: id("a"), path: "a" }] } },
            ],
            defaultMode: 0o444,
          },
        },
      ],
    });
  });

  it("copies a managed secret of another namespace for K8s, under the names that the task knows", async () => {
    const lookup: ScopeLookup = {
      async find(scope, key) {
        const [, domain] = lookupIds(scope, key);
        if (!domain) throw new Error("a pod has all scopes");
        return { found: true, ...domain, value: SecretValue.fromText("v"), attempts: [], namespace: "flyte" };
      },
    };
    const delivery = createSecretRefDelivery({ writer: { async write() {} } });
    const managers = [createK8sInjector({ lookup, copies: true })];
    const mutator = createMutator({ managers, secretEnvVarPrefix: "_UNION_", envVarNaming: "raw", delivery });
    const mutation = await changed(mutator.mutate(podOf({ key: "k", mountRequirement: 1 }, { key: "k" })));
    const md5OfKey = md5("k");
    const dataKey = "u__org__flyte__domain__dev__project____key__k";
    expect(withoutDigests({ mutation, part: mutation.pod.spec })).toEqual({
      containers: [
        {
          name: "main",
          env: [
            { name: "FLYTE_SECRETS_FILE_PREFIX", value: "" },
            { name: "FLYTE_SECRETS_DEFAULT_DIR", value: "/etc/flyte/secrets" },
            { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
            {
              name: `_UNION_${md5OfKey.toUpperCase()}_K`,
              valueFrom: { secretKeyRef: { name: `copy of ${dataKey}`, key: dataKey } },
            },
          ],
          volumeMounts: [{ name: expect.any(String), mountPath: `/etc/flyte/secrets/${md5OfKey}`, readOnly: true }],
        },
      ],
      volumes: [
        {
          name: expect.any(String),
          secret: { secretName: `copy of ${dataKey}`, items: [{ key: dataKey, path: "k" }] },
        },
      ],
    });
    expect(mutation.injections.map(({ manager, level }) => [manager, level])).toEqual([
      ["K8s", "domain"],
      ["K8s", "domain"],
    ]);
  });

  it("writes nothing on a dry run, and says what it would write", async () => {
    const { mutator, written } = setUp({ values: { a: "1" } });
    const mutation = await changed(mutator.mutate(podOf({ key: "a" }), { dryRun: true }));
    // The writer has the last word on the namespace.
    expect(written.map(({ options }) => options.dryRun)).toEqual([true]);
    expect(revealed(mutation.secrets)).toEqual(["1"]);
  });

  it("rejects the pod when the Secret can't be written: no literal instead", async () => {
    const error = new SecretsError("store_unavailable", "the API server does not answer");
    const { mutator } = setUp({ values: { a: "1" }, write: () => Promise.reject(error) });
    await expect(mutator.mutate(podOf({ key: "a" }))).rejects.toBe(error);
  });

  it("writes nothing for a pod that is rejected", async () => {
    const { mutator, written } = setUp({ values: { a: "1" } });
    await expect(mutator.mutate(podOf({ key: "a" }, { key: "missing" }))).rejects.toThrow(
      "none of the secret managers",
    );
    const inTheWay = { ...podOf({ key: "a", mountRequirement: 2 }) };
    const spec = { ...inTheWay.spec, volumes: [{ name: "embedded-secret-vol", hostPath: { path: "/" } }] };
    await expect(mutator.mutate({ ...inTheWay, spec })).rejects.toThrow('volume "embedded-secret-vol"');
    expect(written).toEqual([]);
  });

  it("hashes what is no data key", () => {
    const delivery = createSecretRefDelivery({ writer: { async write() {} } });
    const value = SecretValue.fromText("v");
    const labels = ["global__a/b__c", "k".repeat(254), "u__ok"];
    const edits = labels.map(
      (label) => ({ kind: "secretVariable", name: "A", source: { kind: "value", value, label } }) as const,
    );
    expect(delivery.deliver([edits]).secrets.flatMap(({ data }) => Object.keys(data))).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
      "u__ok",
    ]);
  });
});

function revealed(secrets: readonly SecretToDeliver[]): (string | undefined)[] {
  return secrets.flatMap(({ data }) => Object.values(data).map((value) => value.revealText()));
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
