import {
  imagePullSecretName,
  lookupIds,
  type ScopeLookup,
  type SecretRequest,
  SecretsError,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import type { Delivery, SecretToDeliver } from "./delivery/delivery.ts";
import { createInlineDelivery } from "./delivery/inline.ts";
import { createSecretRefDelivery } from "./delivery/secret-ref.ts";
import { createAwsInjector } from "./managers/aws.ts";
import { createEmbeddedInjector } from "./managers/embedded.ts";
import { createGcpInjector } from "./managers/gcp.ts";
import { createGlobalInjector } from "./managers/global.ts";
import { type Injector, setVariable } from "./managers/injector.ts";
import { createK8sInjector } from "./managers/k8s.ts";
import { createVaultInjector } from "./managers/vault.ts";
import type { ImagePullSecrets } from "./mutator.ts";
import { createMutator } from "./mutator.ts";
import type { PodEdit } from "./pod/edit.ts";
import { parsePod } from "./pod/parse-pod.ts";
import type { Pod } from "./pod/pod.ts";

const FILE = 2;
const global = createGlobalInjector({ readVariable: () => undefined, readFile: async () => undefined });
const lookup: ScopeLookup = {
  async find(scope, key) {
    const ids = lookupIds(scope, key);
    const [narrowest] = ids;
    if (!key.startsWith("missing") && narrowest) {
      return { found: true, ...narrowest, value: SecretValue.fromText(`value of ${key}`), attempts: [] };
    }
    const attempts = ids.map(
      ({ level, id }) => ({ provider: "Store", level, id: `${level}/${id.name}`, outcome: "not found" }) as const,
    );
    return { found: false, attempts };
  },
};
const embedded = createEmbeddedInjector({ lookup });
const k8s = createK8sInjector({ lookup, copies: false });

/** K8s for requests with a group alone. */
const refersTo: Injector["refersTo"] = () => ({ kind: "nothing" });
const onlyGroups: Injector = {
  ...k8s,
  inject: async (request, context) =>
    request.group === "" ? { injected: false, reason: "" } : k8s.inject(request, context),
};

function podOf(...requests: Partial<SecretRequest>[]): Pod {
  const full = requests.map((request) => ({
    group: "",
    groupVersion: "",
    key: "",
    mountRequirement: 0,
    envVar: "",
    ...request,
  }));
  const labels = { organization: "flyte", domain: "dev", project: "p1" };
  return parsePod({
    metadata: { labels, annotations: toRequestAnnotations(full) },
    spec: { containers: [{ name: "main" }] },
  });
}

function mutatorOf(managers: readonly Injector[], delivery: Delivery = createInlineDelivery()) {
  return createMutator({ managers, secretEnvVarPrefix: "_UNION_", envVarNaming: "raw", delivery });
}

const secretRef = () => createSecretRefDelivery({ writer: { async write() {} } });

describe("the managers", () => {
  it("are asked in order for each request until one serves it", async () => {
    const mutation = await mutatorOf([global, k8s, embedded]).mutate(
      podOf({ group: "db", key: "token" }, { key: "k" }),
    );
    expect(mutation.changed && mutation.injections).toEqual([
      { request: expect.objectContaining({ group: "db", key: "token" }), manager: "K8s" },
      {
        request: expect.objectContaining({ key: "k" }),
        manager: "Embedded",
        level: "project",
        id: { org: "flyte", domain: "dev", project: "p1", name: "k" },
      },
    ]);
  });

  it("that all fail reject the pod with what each looked for, in order", async () => {
    const pod = podOf({ key: "k" }, { group: "db", key: "missing", mountRequirement: 1 });
    await expect(mutatorOf([global, createAwsInjector(), embedded]).mutate(pod)).rejects.toThrow(
      new SecretsError(
        "not_injected",
        "none of the secret managers injected secret [db/missing]: " +
          "Global: found neither the variable FLYTE_SECRET_DB_MISSING nor the file /etc/secrets/db/missing; " +
          "AWS: unrecognized mount requirement [ENV_VAR] for secret [missing]; " +
          "Embedded: secret not found across all scopes, looked for project/missing (Store), domain/missing (Store), global/missing (Store)",
      ),
    );
  });

  it("behind one that is broken are not asked", async () => {
    const error = new SecretsError("store_unavailable", "the store is down");
    const broken: Injector = { name: "Broken", refersTo, inject: () => Promise.reject(error) };
    await expect(mutatorOf([broken, embedded]).mutate(podOf({ key: "k" }))).rejects.toBe(error);
  });
});

describe("a pod", () => {
  it("without requests is not changed", async () => {
    expect(await mutatorOf([embedded]).mutate(podOf())).toEqual({ changed: false });
    expect(await mutatorOf([embedded]).mutate(parsePod({ spec: { containers: [] } }))).toEqual({ changed: false });
  });

  it("with an annotation that is no request is rejected, naming it", async () => {
    const pod = parsePod({ metadata: { annotations: { "flyte.secrets/s0": "!" } }, spec: { containers: [] } });
    await expect(mutatorOf([embedded]).mutate(pod)).rejects.toMatchObject({
      code: "invalid_annotation",
      message: expect.stringContaining("flyte.secrets/s0"),
    });
  });

  it.each([
    ["its own", "own", "of the request", "own"],
    ["that of the admission request", undefined, "of the request", "of the request"],
    ["default", undefined, undefined, "default"],
  ])("is mutated for the namespace that is %s", async (_, own, ofRequest, expected) => {
    const seen: string[] = [];
    const spy: Injector = {
      name: "Spy",
      refersTo,
      async inject(_request, { namespace }) {
        seen.push(namespace);
        return { injected: true, edits: [] };
      },
    };
    const { metadata, ...rest } = podOf({ key: "k" });
    const pod = { ...rest, metadata: { ...metadata, ...(own && { namespace: own }) } };
    await mutatorOf([spy]).mutate(pod, ofRequest === undefined ? {} : { namespace: ofRequest });
    expect(seen).toEqual([expected]);
  });

  it("keeps what another webhook did between two mutations, and what we did in its place", async () => {
    const mutator = mutatorOf([embedded]);
    const first = await mutator.mutate(podOf({ key: "a" }, { key: "b", mountRequirement: FILE, envVar: "B" }));
    if (!first.changed) throw new Error("the pod was to change");
    const { spec } = first.pod;
    const between = {
      ...first.pod,
      spec: { ...spec, initContainers: [{ name: "istio-init" }, ...(spec.initContainers ?? [])] },
    };
    const second = await mutator.mutate(between);
    if (!second.changed) throw new Error("the new init container was to get its variables");
    expect(second.patch.operations.map(({ op, path }) => `${op} ${path}`)).toEqual([
      "add /spec/initContainers/0/env",
      "add /spec/initContainers/0/volumeMounts",
    ]);
    expect(second.pod.spec.initContainers?.[1]).toEqual(spec.initContainers?.[0]);
    expect(await mutator.mutate(second.pod)).toEqual({ changed: false });
  });

  it("whose secret changed between two mutations gets the new value, in both deliveries", async () => {
    for (const delivery of [createInlineDelivery(), secretRef()]) {
      const of = (text: string) => {
        const found = (key: string, scope: Parameters<ScopeLookup["find"]>[0]) => lookupIds(scope, key)[0];
        const changing: ScopeLookup = {
          async find(scope, key) {
            const narrowest = found(key, scope);
            if (!narrowest) throw new Error("a pod has all scopes");
            return { found: true, ...narrowest, value: SecretValue.fromText(text), attempts: [] };
          },
        };
        return mutatorOf([createEmbeddedInjector({ lookup: changing })], delivery);
      };
      const pod = podOf({ key: "a" }, { key: "b", mountRequirement: FILE });
      const old = await of("old").mutate(pod);
      const now = await of("now").mutate(pod);
      if (!old.changed || !now.changed) throw new Error("the pod was to change");
      const again = await of("now").mutate(old.pod);
      expect(again.changed && again.pod).toEqual(now.pod);
    }
  });
});

describe("two managers with files in one pod", () => {
  it("are rejected when both would be mounted at one path, naming both requests", async () => {
    const aws = { group: "g", key: "k", mountRequirement: FILE };
    const gcp = { group: "g", groupVersion: "1", mountRequirement: FILE };
    await expect(mutatorOf([createAwsInjector(), createGcpInjector()]).mutate(podOf(aws, gcp))).rejects.toThrow(
      new SecretsError(
        "pod_conflict",
        "secrets [g/k] of AWS and [g/] of GCP would both be mounted at /etc/flyte/secrets, which cannot be in one container: ask for one of them in another way",
      ),
    );
  });

  it("are rejected when Vault's agent would mount there later", async () => {
    const vaultOnly = createVaultInjector();
    const vault: Injector = {
      ...vaultOnly,
      inject: async (request, context) =>
        request.group === "v" ? vaultOnly.inject(request, context) : { injected: false, reason: "" },
    };
    const pod = podOf({ key: "k", mountRequirement: FILE }, { group: "v", key: "k" });
    await expect(mutatorOf([vault, embedded]).mutate(pod)).rejects.toThrow(
      "secrets [k] of Embedded and [v/k] of Vault would both be mounted at /etc/flyte/secrets",
    );
  });

  it("are warned of when one is mounted below the other", async () => {
    const pod = podOf({ group: "db", key: "token" }, { key: "k", mountRequirement: FILE });
    const mutation = await mutatorOf([onlyGroups, embedded]).mutate(pod);
    expect(mutation.changed && mutation.warnings).toEqual([
      "secrets [db/token] of K8s and [k] of Embedded are mounted at /etc/flyte/secrets/db and /etc/flyte/secrets, one below the other: containers may not start",
    ]);
  });

  it("are admitted without a warning when one name or mount only begins like another, and when they are the same secret", async () => {
    const likes = [
      podOf({ key: "db", mountRequirement: FILE }, { key: "db2", mountRequirement: FILE }),
      podOf({ key: "db", mountRequirement: FILE }, { key: "db", mountRequirement: FILE, envVar: "DB" }),
      podOf({ key: "db", mountRequirement: FILE }, { key: "db", mountRequirement: FILE }),
      podOf({ key: "db.crt", mountRequirement: FILE }, { key: "db", mountRequirement: FILE }),
    ];
    for (const delivery of [createInlineDelivery(), secretRef()]) {
      for (const pod of likes) {
        const mutation = await mutatorOf([embedded], delivery).mutate(pod);
        expect(mutation.changed && mutation.warnings).toEqual([]);
      }
    }
    const groups = podOf({ group: "db", key: "k" }, { group: "db2", key: "k" }, { group: "db", key: "k" });
    const mutation = await mutatorOf([onlyGroups]).mutate(groups);
    expect(mutation.changed && mutation.warnings).toEqual([]);
  });

  it("are rejected when two secrets would be one file, or one a file where the other needs a directory", async () => {
    await expect(mutatorOf([k8s]).mutate(podOf({ group: "g", key: "K" }, { group: "g", key: "k" }))).rejects.toThrow(
      "secrets [g/K] of K8s and [g/k] of K8s would be the files g/k and g/k",
    );
    const fileAndDirectory = podOf({ group: "k", key: "x" }, { key: "k", mountRequirement: FILE });
    for (const delivery of [createInlineDelivery(), secretRef()]) {
      await expect(mutatorOf([onlyGroups, embedded], delivery).mutate(fileAndDirectory)).rejects.toThrow(
        "secrets [k/x] of K8s and [k] of Embedded would be the files k/x and k",
      );
    }
  });
});

describe("image-pull Secrets", () => {
  const nameFor = (key: string) => imagePullSecretName({ org: "flyte", domain: "dev", project: "p1", name: key });

  /** With one for each secret of these keys; tells what it copied. */
  function setUp(keys: readonly string[], change: Partial<ImagePullSecrets> = {}) {
    const copied: string[] = [];
    const written: (readonly SecretToDeliver[])[] = [];
    const imagePull: ImagePullSecrets = {
      find: (id) => (keys.includes(id.name) ? imagePullSecretName(id) : undefined),
      copy: (namespace, name) => void copied.push(`${namespace}/${name}`),
      ...change,
    };
    const writer = { write: (_: string, secrets: readonly SecretToDeliver[]) => void written.push(secrets) };
    const mutator = createMutator({
      managers: [global, onlyGroups, embedded],
      secretEnvVarPrefix: "_UNION_",
      envVarNaming: "raw",
      delivery: createSecretRefDelivery({ writer }),
      imagePull,
    });
    return { mutator, copied, written };
  }

  it("that go with secrets of the pod are copied to its namespace and named in it, each once, sorted", async () => {
    const { mutator, copied } = setUp(["a", "b"]);
    const pod = podOf({ key: "b" }, { key: "a" }, { key: "a", mountRequirement: FILE }, { key: "c" });
    const mutation = await mutator.mutate(pod, { namespace: "p1-dev" });
    const names = [nameFor("a"), nameFor("b")].toSorted();
    expect(mutation.changed && mutation.pod.spec.imagePullSecrets).toEqual(names.map((name) => ({ name })));
    expect(copied.toSorted()).toEqual(names.map((name) => `p1-dev/${name}`));
  });

  it("go with secrets only that are found at a scope, not with groups", async () => {
    const { mutator, copied } = setUp(["token"]);
    const mutation = await mutator.mutate(podOf({ group: "db", key: "token" }));
    expect(mutation.changed && mutation.pod.spec.imagePullSecrets).toBeUndefined();
    expect(copied).toEqual([]);
  });

  it("are named and not copied on a dry run, and copied again for a pod that names them already", async () => {
    const { mutator, copied } = setUp(["a"]);
    const dry = await mutator.mutate(podOf({ key: "a" }), { dryRun: true });
    if (!dry.changed) throw new Error("the pod was to change");
    expect(dry.pod.spec.imagePullSecrets).toEqual([{ name: nameFor("a") }]);
    expect(copied).toEqual([]);
    expect(await mutator.mutate(dry.pod)).toEqual({ changed: false });
    expect(copied).toEqual([`default/${nameFor("a")}`]);
  });

  it("that appear and go are seen by the next pod of the same task", async () => {
    const keys: string[] = [];
    const value = SecretValue.fromText("kept");
    const id = { org: "flyte", domain: "dev", project: "p1", name: "a" };
    const result = { found: true, id, level: "project", value, attempts: [] } as const;
    const mutator = createMutator({
      managers: [createEmbeddedInjector({ lookup: { find: () => result } })],
      secretEnvVarPrefix: "_UNION_",
      envVarNaming: "raw",
      delivery: secretRef(),
      imagePull: { find: ({ name }) => (keys.includes(name) ? nameFor(name) : undefined), copy() {} },
    });
    const pullSecrets = async () => {
      const mutation = await mutator.mutate(podOf({ key: "a" }));
      return mutation.changed && mutation.pod.spec.imagePullSecrets;
    };
    expect(await pullSecrets()).toBeUndefined();
    keys.push("a");
    expect(await pullSecrets()).toEqual([{ name: nameFor("a") }]);
    keys.pop();
    expect(await pullSecrets()).toBeUndefined();
  });

  it.each<[string, Partial<ImagePullSecrets>]>([
    ["be looked for", { find: () => Promise.reject(new SecretsError("store_unavailable", "no answer")) }],
    ["be copied", { copy: () => Promise.reject(new SecretsError("store_unavailable", "no answer")) }],
  ])("that cannot %s reject the pod", async (_, change) => {
    const { mutator } = setUp(["a"], change);
    await expect(mutator.mutate(podOf({ key: "a" }))).rejects.toMatchObject({ code: "store_unavailable" });
  });
});

describe("a variable that a task asks for", () => {
  it("does not replace one that our init container works with", async () => {
    const mutation = await mutatorOf([embedded]).mutate(podOf({ key: "k", mountRequirement: FILE, envVar: "SECRETS" }));
    if (!mutation.changed) throw new Error("the pod was to change");
    const data = Buffer.from("value of k").toString("base64");
    expect(mutation.pod.spec.initContainers?.[0]?.env?.at(-1)).toEqual({ name: "SECRETS", value: `k=${data}\n` });
    expect(mutation.pod.spec.containers[0]?.env?.[0]).toEqual({ name: "SECRETS", value: "/etc/flyte/secrets/k" });
  });
});

describe("the guard of patches", () => {
  const leaking = (text: string, edit: (value: string) => PodEdit): Injector => ({
    name: "Leaking",
    refersTo,
    async inject() {
      const source = { kind: "value", value: SecretValue.fromText(text), label: "u__secret" } as const;
      return { injected: true, edits: [{ kind: "secretVariable", name: "GOOD", source }, edit(text)] };
    },
  });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const setUpBy = (args: string[]): PodEdit => ({
    kind: "initContainer",
    numbered: false,
    container: { name: "c", image: "i", args, env: [], volumeMounts: [{ name: "v", mountPath: "/v" }] },
  });

  it.each([
    ["as it is", "hunter2", (value: string) => setVariable("BAD", value)],
    ["within a text", "hunter2-hunter2", (value: string) => setVariable("BAD", `postgres://u:${value}@h`)],
    ["in base64", "hunter2", (value: string) => setVariable("BAD", base64(value))],
    ["in base64 within a text", "hunter2", (value: string) => setVariable("BAD", `k=${base64(value)}\n`)],
    ["in an annotation", 'with "quotes"\n', (value: string) => ({ kind: "annotation", name: "a", value }) as const],
    ["in an init container", "hunter2-hunter2", (value: string) => setUpBy(["-c", value])],
    [
      "in a volume",
      "hunter2-hunter2",
      (value: string) => ({ kind: "volume", volume: { name: "v", csi: { driver: "d", at: value } } }) as const,
    ],
    [
      "in a mount",
      "hunter2-hunter2",
      (value: string) => ({ kind: "mount", mount: { name: "v", mountPath: `/${value}` } }) as const,
    ],
    ["as the name of an image-pull Secret", "hunter2", (name: string) => ({ kind: "imagePullSecret", name }) as const],
  ])("refuses one that has a value %s, unless the delivery is Inline", async (_, text, edit) => {
    const mutator = mutatorOf([leaking(text, edit)], secretRef());
    await expect(mutator.mutate(podOf({ key: "k" }))).rejects.toThrow(
      new SecretsError("internal", "refused to send a patch that contains the value of u__secret"),
    );
    await expect(mutatorOf([leaking(text, edit)]).mutate(podOf({ key: "k" }))).resolves.toMatchObject({
      changed: true,
    });
  });

  it.each([
    [8, "within a text", (value: string) => setVariable("BAD", `http://u:${value}@h`), false],
    [7, "within a text", (value: string) => setVariable("BAD", `http://u:${value}@h`), true],
    [7, "as a whole", (value: string) => setVariable("BAD", value), false],
  ])("of a value of %d characters %s lets none pass from 8 on", async (length, _, edit, passes) => {
    const outcome = mutatorOf([leaking("!&%$#@?*".slice(0, length), edit)], secretRef()).mutate(podOf({ key: "k" }));
    if (passes) await expect(outcome).resolves.toMatchObject({ changed: true });
    else await expect(outcome).rejects.toMatchObject({ code: "internal" });
  });

  it("looks at each text by itself: what two that follow each other would make together is none", async () => {
    const mutator = mutatorOf([leaking("HUNTER_two", () => setVariable("A_HUNTER", "_two"))], secretRef());
    await expect(mutator.mutate(podOf({ key: "k" }))).resolves.toMatchObject({ changed: true });
  });

  it.each([
    "value",
    "add",
    "/etc/flyte/secrets",
    "_UNION_",
    "true",
    "k",
    "main",
    "",
  ])("lets a value pass that the patch has anyway: %j", async (text) => {
    const mutator = mutatorOf([leaking(text, () => setVariable("DIR", "/etc/flyte/secrets"))], secretRef());
    await expect(mutator.mutate(podOf({ key: "k" }))).resolves.toMatchObject({ changed: true });
  });
});
