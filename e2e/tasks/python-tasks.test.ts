// Tasks of Flyte's own SDKs, from their templates to what they read: the requests as the SDK serialises them, the pod
// as our mutator makes it, and the SDK's own command in a process that sees the variables and files which that pod
// prescribes, at their real paths.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Pod } from "@flyte-secrets/inject";
import { afterAll, beforeAll, expect, it } from "vitest";
import { busyboxRequirement } from "../support/busybox.ts";
import { cacheDirectory } from "../support/python-environment.ts";
import { type PythonPeer, startPythonPeer } from "../support/python-peer.ts";
import { describeWith, type Requirement } from "../support/requirement.ts";
import type { ProgramResult } from "../support/run-program.ts";
import { makeCloudImages } from "./cloud-images.ts";
import { type Image, mountNamespaces, runPod } from "./kubelet.ts";
import { FLYTEKITS, FLYTES, type PythonSdk } from "./python-sdks.ts";
import { type DeliveryName, EVERY_BYTE, IN_CLOUDS, IN_VAULT, openManager } from "./secret-managers.ts";
import { type Template, taskImage, toTaskPod } from "./task-pod.ts";
import { injectVaultAgent } from "./vault-agent.ts";

const bytesOf = (content: string | Uint8Array) => ({ base64: Buffer.from(content).toString("base64") });
const binary = bytesOf(EVERY_BYTE);

/** What each task reads. */
type Readings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const READ_BY_FLYTEKIT: Readings = {
  k8s: {
    variable: "db-password",
    attribute: "db-password",
    own_variable: "postgres://db $(HOME) $$\n",
    file: "certificate",
    own_path: bytesOf("certificate\n"),
    binary,
    absent: null,
  },
  aws: { file: "aws-password", binary },
  gcp: { file: "gcp-3", binary },
  azure: { version: "azure-1f", newest: "azure-newest" },
  vault: { kv2: "kv2-password", kv1: "kv1-password", dynamic: "password: dynamic\nusername: u" },
  embedded: {
    from_global: "smtp-password",
    from_global_file: "smtp-user",
    variable: "managed-api-key",
    own_variable: "managed-token",
    file: "managed-certificate",
    own_path: bytesOf("managed-certificate\n"),
    binary,
  },
  user_guide: { variable: "guide-password", guides_variable: "guide-password\n" },
};

const READ_BY_FLYTE: Readings = {
  k8s: {
    variable: "db-password\n",
    own_variable: "postgres://db $(HOME) $$\n",
    file: bytesOf("certificate\n"),
    managed: "managed-api-key\n",
    managed_file: binary,
  },
  aws: { file: bytesOf("aws-password\n"), binary },
  azure: { newest: "azure-newest\n" },
  vault: { kv2: "kv2-password" },
  embedded: {
    from_global: "smtp-password\n",
    variable: "managed-api-key\n",
    own_variable: "managed-token",
    file: "managed-certificate\n",
    binary,
  },
};

/** The managers whose values the delivery carries; those of the others are fetched inside the pod. */
const DELIVERED: readonly string[] = ["k8s", "embedded"];

const KINDS = [
  ...FLYTEKITS.map((sdk) => ({ sdk, module: "flytekit_tasks", readings: READ_BY_FLYTEKIT })),
  ...FLYTES.map((sdk) => ({ sdk, module: "flyte_tasks", readings: READ_BY_FLYTE })),
];

const requirementOf = (sdk: PythonSdk): Requirement =>
  [mountNamespaces, busyboxRequirement].find(({ missing }) => missing) ?? sdk.require();

for (const { sdk, module, readings } of KINDS) {
  describeWith(requirementOf(sdk), `${sdk.title}, inside a task: a pod of ours`, () => {
    let home: string;
    let peer: PythonPeer;
    let images: Record<string, Image>;
    beforeAll(() => {
      home = mkdtempSync(join(cacheDirectory, "tasks-"));
      peer = startPythonPeer(sdk.python, sdk.requestsScript);
      images = { ...makeCloudImages(join(home, "images"), IN_CLOUDS), task: taskImage(sdk, home) };
    });
    afterAll(async () => {
      await peer.close();
      rmSync(home, { recursive: true, force: true });
    });

    async function run(task: string, delivery: DeliveryName): Promise<ProgramResult> {
      const directory = mkdtempSync(join(home, "pod-"));
      // What the script answers to this question.
      const template = (await peer.ask({ ask: "template", task: `${module}.${task}` })) as Template;
      const { mutator, secrets } = openManager(task, delivery);
      const mutation = await mutator.mutate(toTaskPod(template, directory));
      if (!mutation.changed) throw new Error("nothing was injected");
      // As it comes back from the API server.
      const pod: Pod = JSON.parse(JSON.stringify(mutation.pod));
      if (task !== "vault") return runPod(pod, { images, secrets, directory });
      const injected = injectVaultAgent(pod, IN_VAULT);
      return runPod(injected.pod, { images, secrets: secrets.set("vault-secrets", injected.files), directory });
    }

    for (const [task, expected] of Object.entries(readings)) {
      it(`reads what ${task} gives it${DELIVERED.includes(task) ? ", delivered by SecretRef" : ""}`, async () => {
        expect(readingsIn(await run(task, "SecretRef"))).toEqual(expected);
      });
    }

    for (const task of DELIVERED) {
      it(`reads what ${task} gives it, delivered by Inline`, async () => {
        expect(readingsIn(await run(task, "Inline"))).toEqual(readings[task]);
      });
    }

    if (module === "flyte_tasks") {
      it("is refused by gcp, since it can't name the version that it needs", async () => {
        await expect(run("gcp", "SecretRef")).rejects.toMatchObject({
          code: "not_injected",
          message: expect.stringContaining("GCP: GCP Secrets Webhook requires both group and group_version to be set"),
        });
      });
    }
  });
}

/** What a task has printed; its complaints when it has failed. */
function readingsIn({ exitCode, stdout, stderr }: ProgramResult): unknown {
  return exitCode === 0 ? JSON.parse(stdout) : stderr;
}
