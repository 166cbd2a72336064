import {
  MountRequirement,
  type ScopeLookup,
  type SecretRequest,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createInlineDelivery } from "../delivery/inline.ts";
import { createAwsInjector } from "../managers/aws.ts";
import { createAzureInjector } from "../managers/azure.ts";
import { createEmbeddedInjector } from "../managers/embedded.ts";
import { createGcpInjector } from "../managers/gcp.ts";
import type { Injector } from "../managers/injector.ts";
import { createMutator } from "../mutator.ts";
import type { InitContainerSettings } from "./edit.ts";
import { DEFAULT_INIT_CONTAINERS } from "./edit.ts";
import { parsePod } from "./parse-pod.ts";
import type { Pod } from "./pod.ts";

const SIDECAR = { sidecarImage: "pull", resources: {} };
const lookup: ScopeLookup = {
  find: (scope, name) => ({
    found: true,
    id: { ...scope, name },
    level: "project",
    value: SecretValue.fromText("pa$$word $(HOME) $ $x"),
    attempts: [],
  }),
};

interface Way {
  readonly way: string;
  readonly manager: (initContainers: InitContainerSettings) => Injector;
  readonly ours: string;
}

const WAYS: Way[] = [
  {
    way: "AWS",
    manager: (initContainers) => createAwsInjector({ ...SIDECAR, initContainers }),
    ours: "aws-pull-secret-",
  },
  {
    way: "GCP",
    manager: (initContainers) => createGcpInjector({ ...SIDECAR, initContainers }),
    ours: "gcp-pull-secret-",
  },
  {
    way: "Azure",
    manager: (initContainers) => createAzureInjector({ ...SIDECAR, initContainers }),
    ours: "azure-pull-secret-",
  },
  { way: "Inline", manager: () => createEmbeddedInjector({ lookup }), ours: "init-embedded-secret" },
];

const ask = (rest: Partial<SecretRequest> = {}): SecretRequest => ({
  group: "https://v.vault.azure.net/secrets/n",
  groupVersion: "1",
  key: "k",
  mountRequirement: MountRequirement.FILE,
  envVar: "",
  ...rest,
});

const labels = { organization: "flyte", project: "p", domain: "d" };

function podOf(spec: object, requests: readonly SecretRequest[] = [ask()]): Pod {
  const metadata = { name: "train", namespace: "p-d", labels, annotations: toRequestAnnotations(requests) };
  return parsePod({ metadata, spec });
}

async function mutate(
  pod: Pod,
  { manager }: Pick<Way, "manager">,
  settings: Partial<InitContainerSettings> = {},
  escapeVariables = false,
) {
  const initContainers = { ...DEFAULT_INIT_CONTAINERS, ...settings };
  const fileMountInitContainer = {
    image: "busybox",
    containerName: "init-embedded-secret",
    resources: {},
    initContainers,
  };
  const mutator = createMutator({
    managers: [manager(initContainers)],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
    delivery: createInlineDelivery({ fileMountInitContainer, escapeVariables }),
  });
  const mutation = await mutator.mutate(pod);
  if (!mutation.changed) throw new Error("nothing changed");
  const again = await mutator.mutate(parsePod(JSON.parse(JSON.stringify(mutation.pod))));
  expect(again.changed).toBe(false);
  return mutation.pod.spec;
}

const OWN = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const OF_POD = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
const RESTRICTED = { ...OWN, ...OF_POD };
const main = (securityContext?: object) => ({
  name: "main",
  image: "train",
  ...(securityContext && { securityContext }),
});

describe.each(WAYS)("the init container of $way", (way) => {
  const contextIn = async (spec: object, settings?: Partial<InitContainerSettings>) => {
    const { initContainers } = await mutate(podOf(spec), way, settings);
    return initContainers?.find(({ name }) => name.startsWith(way.ours))?.securityContext;
  };

  it.each([
    ["in its containers", { containers: [main(RESTRICTED)] }],
    ["in pod and containers", { securityContext: OF_POD, containers: [main(OWN)] }],
    [
      "with a profile of its own",
      { containers: [main({ ...RESTRICTED, seccompProfile: { type: "Localhost", localhostProfile: "x" } })] },
    ],
    [
      "with init containers",
      { containers: [main(RESTRICTED)], initContainers: [{ ...main(RESTRICTED), name: "own" }] },
    ],
    [
      "with a capability that the standard allows",
      { containers: [main({ ...RESTRICTED, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } })] },
    ],
  ])("meets the restricted standard in a pod that meets it %s", async (_, spec) => {
    expect(await contextIn(spec)).toEqual({ ...RESTRICTED, runAsUser: 65_532 });
    expect(await contextIn(spec, { security: "none" })).toBeUndefined();
  });

  it.each([
    ["says nothing", { containers: [main()] }],
    ["may escalate privileges", { containers: [main({ ...RESTRICTED, allowPrivilegeEscalation: true })] }],
    ["keeps capabilities", { containers: [main({ ...RESTRICTED, capabilities: { drop: ["NET_RAW"] } })] }],
    ["may run as root", { containers: [main(OWN)] }],
    ["runs as root", { securityContext: { ...OF_POD, runAsUser: 0 }, containers: [main(OWN)] }],
    ["has no seccomp profile", { containers: [main({ ...RESTRICTED, seccompProfile: { type: "Unconfined" } })] }],
    ["has another container that doesn't", { containers: [main(RESTRICTED), { ...main(), name: "other" }] }],
    [
      "has an init container that doesn't",
      { containers: [main(RESTRICTED)], initContainers: [{ name: "own", image: "i" }] },
    ],
    ["is of Windows", { os: { name: "windows" }, containers: [main(RESTRICTED)] }],
    ["has contexts of other types", { securityContext: 7, containers: [main([])] }],
  ])("stays as in Flyte in a pod that %s", async (_, spec) => {
    expect(await contextIn(spec)).toBeUndefined();
  });

  it("meets it in any pod that isn't of Windows where that is set", async () => {
    const settings = { security: "restricted" } as const;
    expect(await contextIn({ containers: [main()] }, settings)).toEqual({ ...RESTRICTED, runAsUser: 65_532 });
    expect(await contextIn({ os: { name: "windows" }, containers: [main()] }, settings)).toBeUndefined();
  });

  it.each([
    ["that its pod names", { securityContext: { ...OF_POD, runAsUser: 1000 }, containers: [main(OWN)] }, {}, undefined],
    ["of the pod's containers", { containers: [main({ ...RESTRICTED, runAsUser: 1000710000 })] }, {}, 1000710000],
    ["that is configured", { containers: [main(RESTRICTED)] }, { runAsUser: 7 }, 7],
    ["of its image", { containers: [main(RESTRICTED)] }, { runAsUser: 0 }, undefined],
  ])("runs as the user %s", async (_, spec, settings, user) => {
    expect(Object(await contextIn(spec, settings)).runAsUser).toBe(user);
  });

  it("is told apart in pods that are mutated one after the other", async () => {
    const initContainers = { ...DEFAULT_INIT_CONTAINERS };
    const fileMountInitContainer = { image: "b", containerName: "init-embedded-secret", resources: {}, initContainers };
    const delivery = createInlineDelivery({ fileMountInitContainer });
    const managers = [way.manager(initContainers)];
    const mutator = createMutator({ managers, secretEnvVarPrefix: "_UNION_", envVarNaming: "raw", delivery });
    const contexts: unknown[] = [];
    const context = { ...RESTRICTED, runAsUser: 8 };
    for (const securityContext of [undefined, RESTRICTED, context, undefined, RESTRICTED]) {
      const mutation = await mutator.mutate(podOf({ containers: [main(securityContext)] }));
      if (mutation.changed) contexts.push(Object(mutation.pod.spec.initContainers?.[0]?.securityContext).runAsUser);
    }
    expect(contexts).toEqual([undefined, 65_532, 8, undefined, 65_532]);
  });

  it("stands behind those of the pod, or before them where that is set, and both times they keep their order", async () => {
    const own = ["a", "b"].map((name) => ({ name, image: "i", env: [{ name: "X", value: name }] }));
    const namesIn = async (initContainers: object[] | undefined, first: boolean) => {
      const spec = await mutate(podOf({ containers: [main()], ...(initContainers && { initContainers }) }), way, {
        first,
      });
      return spec.initContainers?.map(({ name }) => name.replace(/\d+$/, ""));
    };
    expect(await namesIn(own, false)).toEqual(["a", "b", way.ours]);
    expect(await namesIn(own, true)).toEqual([way.ours, "a", "b"]);
    expect(await namesIn([], true)).toEqual([way.ours]);
    expect(await namesIn(undefined, true)).toEqual([way.ours]);
  });
});

it("several stand before the pod's own in the order of their requests", async () => {
  const requests = [ask({ groupVersion: "1" }), ask({ groupVersion: "2" }), ask({ groupVersion: "3" })];
  const own = { name: "own", image: "i", env: [{ name: "X", value: "x" }] };
  const [, gcp] = WAYS;
  if (!gcp) throw new Error("no such way");
  const { initContainers = [] } = await mutate(podOf({ containers: [main()], initContainers: [own] }, requests), gcp, {
    first: true,
  });
  expect(
    initContainers?.map(({ name, command }) => [name.replace(/\d$/, "N"), /versions\/(\d)/.exec(String(command))?.[1]]),
  ).toEqual([
    ["gcp-pull-secret-N", "1"],
    ["gcp-pull-secret-N", "2"],
    ["gcp-pull-secret-N", "3"],
    ["own", undefined],
  ]);
  expect(initContainers?.at(-1)?.env).toContainEqual({ name: "X", value: "x" });
});

it("a variable of delivery Inline is escaped where that is set, so that what Kubernetes makes of it is the value", async () => {
  const [inline] = WAYS.slice(-1);
  if (!inline) throw new Error("no such way");
  const request = ask({ mountRequirement: MountRequirement.ENV_VAR, envVar: "V" });
  const valueIn = async (isEscaped: boolean) => {
    const { containers } = await mutate(podOf({ containers: [main()] }, [request]), inline, {}, isEscaped);
    return containers[0]?.env?.find(({ name }) => name === "V")?.value;
  };
  expect(await valueIn(false)).toBe("pa$$word $(HOME) $ $x");
  expect(await valueIn(true)).toBe("pa$$$$word $$(HOME) $$ $$x");
});
