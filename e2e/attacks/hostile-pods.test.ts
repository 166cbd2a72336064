// Pods that anybody may create who may create pods, sent to a real webhook: what was seen before stands beside each.
import { encodeBase32Lower } from "@flyte-secrets/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWebhookProcess, type WebhookProcess } from "../support/start-webhook.ts";
import { annotationsOf, containers, type HostilePod, many, sendPod, type Verdict } from "./hostile-pod.ts";
import { AS_IN_THE_IMAGE, type AttackReport, CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

const VARIABLE = 1;
const FILE = 2;
/** What Kubernetes takes as all annotations of an object. */
const MAX_ANNOTATIONS = 262_144;
/** A refusal says what is wrong and quotes little. */
const MAX_REFUSAL_BYTES = 2_000;

interface Attack {
  readonly title: string;
  readonly pod: HostilePod;
  /** Of the answer. */
  readonly code: number;
  readonly message?: RegExp;
}

/** A webhook of these managers, and a client that asks it for one secret after the other. */
function useWebhook(managers: string, flags: Record<string, string> = {}) {
  let webhook: WebhookProcess;
  beforeAll(async () => {
    const all = { "webhook.secretManagerTypes": managers, ...flags };
    webhook = await startWebhookProcess({ flags: all, nodeOptions: AS_IN_THE_IMAGE });
  });
  afterAll(() => webhook.stop());
  const good = { annotations: annotationsOf([{ group: "team", key: "good", mountRequirement: 0 }]) };
  return {
    send: (pod: HostilePod) => sendPod(webhook, pod),
    attack: (attack: () => Promise<void>) =>
      underAttack(
        {
          pid: webhook.process.pid ?? 0,
          ask: async () => {
            const { code } = await sendPod(webhook, good);
            // Whether it is found is the manager's business; that it is answered counts.
            if (code !== 200 && code !== 400) throw new Error(`code ${code}`);
          },
        },
        attack,
      ),
  };
}

function expectServed(report: AttackReport): void {
  expect(report.failures).toEqual([]);
  expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);
}

function expectRefused(verdict: Verdict, code: number, message: RegExp): void {
  expect(verdict).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(verdict.bytes).toBeLessThan(MAX_REFUSAL_BYTES);
}

function describeAttacks(managers: string, attacks: readonly Attack[], flags?: Record<string, string>): void {
  describe(`against a webhook with ${managers}`, () => {
    const { send, attack } = useWebhook(managers, flags);
    test.each(attacks)("$title", async ({ pod, code, message = /^/ }) => {
      const report = await attack(async () => {
        for (let turn = 0; turn < 3; turn++) expectRefusedOrServed(await send(pod), code, message);
      });
      expectServed(report);
    });
  });
}

function expectRefusedOrServed(verdict: Verdict, code: number, message: RegExp): void {
  if (code === 200) expect(verdict).toMatchObject({ code });
  else expectRefused(verdict, code, message);
}

const shortKeys = (count: number) =>
  annotationsOf(many(count, (at) => ({ key: at.toString(36), group: "g", mountRequirement: VARIABLE })));
const files = (count: number, group: (at: number) => string) =>
  annotationsOf(many(count, (at) => ({ key: "k", group: group(at), mountRequirement: FILE })));

describeAttacks("K8s", [
  {
    title: "C3: 4,000 requests and 50 containers (4.5 s, 416 MiB)",
    pod: { annotations: shortKeys(4_000), spec: { containers: containers(50) } },
    code: 400,
    message: /^requests of the pod: 4000 .*webhook\.limits\.requests/,
  },
  {
    title: "C3: 4,000 requests and 200 containers (16 s, 1,377 MiB)",
    pod: { annotations: shortKeys(4_000), spec: { containers: containers(200) } },
    code: 400,
    message: /webhook\.limits\.requests/,
  },
  {
    title: "C3: 4,100 requests and 1,000 containers (the process ended)",
    pod: { annotations: shortKeys(4_100), spec: { containers: containers(1_000) } },
    code: 400,
    message: /webhook\.limits\.requests/,
  },
  {
    title: "C3: as many requests as may be and 10,000 containers",
    pod: { annotations: shortKeys(256), spec: { containers: containers(10_000) } },
    code: 400,
    message: /webhook\.limits\.edits/,
  },
  {
    title: "C3: the same with 10,000 init containers",
    pod: { annotations: shortKeys(256), spec: { initContainers: containers(10_000) } },
    code: 400,
    message: /webhook\.limits\.edits/,
  },
  {
    title: "C3: one request, and as many containers as a review has room for",
    pod: { annotations: shortKeys(1), spec: { containers: containers(100_000) } },
    code: 400,
    message: /webhook\.limits\.edits/,
  },
  {
    title: "C3: few containers, and names that make a large patch",
    pod: {
      annotations: annotationsOf(
        many(60, (at) => ({
          group: "g".repeat(253),
          key: `${at}`.padStart(253, "k"),
          mountRequirement: VARIABLE,
        })),
      ),
      spec: { containers: containers(30) },
    },
    code: 400,
    message: /webhook\.limits\.patchBytes/,
  },
  {
    title: "C3: 10,000 containers of one name, which the annotation for containers names",
    pod: {
      annotations: { ...shortKeys(256), "flyte.secrets/containers": "a" },
      spec: { containers: many(10_000, () => ({ name: "a" })) },
    },
    code: 400,
    message: /webhook\.limits\.edits/,
  },
  {
    title: "C3: a container with 100,000 variables of one of ours, each to be removed",
    pod: {
      annotations: annotationsOf([{ group: "g", key: "k", mountRequirement: VARIABLE }]),
      spec: { containers: [{ name: "a", env: many(100_000, () => ({ name: "FLYTE_SECRETS_ENV_PREFIX" })) }] },
    },
    code: 400,
    message: /webhook\.limits\.patchBytes/,
  },
  {
    title: "H7: files of 4,000 groups (3.3 s)",
    pod: { annotations: files(4_000, (at) => at.toString(36)) },
    code: 400,
    message: /webhook\.limits\.requests/,
  },
  { title: "H7: files of 256 groups", pod: { annotations: files(256, (at) => at.toString(36)) }, code: 200 },
  {
    title: "H7: 400 groups one below the other (5.4 s, an answer of 140 MB)",
    pod: { annotations: files(400, (at) => `g${"/g".repeat(at)}`) },
    code: 400,
    message: /webhook\.limits\.requests/,
  },
  {
    title: "H7: 120 groups one below the other",
    pod: { annotations: files(120, (at) => `g${"/g".repeat(at)}`) },
    code: 200,
  },
  {
    title: "H7: 2,000 variables in 2,000 containers (14.9 s, 2.6 GB)",
    pod: { annotations: shortKeys(2_000), spec: { containers: containers(2_000) } },
    code: 400,
    message: /webhook\.limits\.requests/,
  },
  {
    title: "H7: an annotation for containers with 100,000 names beside 30,000 containers",
    pod: {
      annotations: { ...shortKeys(1), "flyte.secrets/containers": `${"0,".repeat(100_000)}none` },
      spec: { containers: containers(30_000) },
    },
    code: 400,
    message: /names container "none"/,
  },
  {
    title: "H7: 200,000 volumes of the pod beside 256 of ours",
    pod: {
      annotations: files(256, (at) => at.toString(36)),
      spec: { volumes: many(200_000, (at) => ({ name: at.toString(36) })) },
    },
    code: 200,
  },
  {
    title: "H8: a key of 155,000 characters",
    pod: { annotations: annotationsOf([{ key: "k".repeat(155_000) }]) },
    code: 400,
    message: /webhook\.limits\.annotationLength/,
  },
  {
    title: "H8: a key of 4.8 MB, which an API server would refuse (an answer of 19 MB)",
    pod: { annotations: annotationsOf([{ key: "k".repeat(4_800_000) }]) },
    code: 400,
    message: /webhook\.limits\.annotationLength/,
  },
  {
    title: "H8: text that a terminal would act on, in key, group and the name of a container",
    pod: {
      annotations: { ...shortKeys(1), "flyte.secrets/containers": `\u001b[2J\u202e${"x".repeat(100_000)}` },
    },
    code: 400,
    message: /^[ -~…]*names container "\\u001b\[2J\\u202ex+…"[ -~…]*$/,
  },
  {
    title: "L5: numbers of annotations with 3.9 million digits (2.7 s)",
    pod: {
      annotations: {
        [`flyte.secrets/s${"9".repeat(3_900_000)}`]: encodeBase32Lower('key: "a"'),
        [`flyte.secrets/s${"8".repeat(3_900_000)}`]: "?",
      },
    },
    code: 400,
    message: /error unmarshaling secret \[flyte\.secrets\/s8+…\]/,
  },
  {
    title: "a request padded with 4 million blanks",
    pod: { annotations: { "flyte.secrets/s0": encodeBase32Lower(`key:${" ".repeat(4_000_000)}"k"`) } },
    code: 400,
    message: /webhook\.limits\.annotationLength/,
  },
  {
    title: "a field of unknown name with 9,000 characters, in an annotation as long as it may be",
    pod: { annotations: { "flyte.secrets/s0": encodeBase32Lower(`${"n".repeat(9_000)}: "k"`) } },
    code: 400,
    message: /unknown field: n{120}…$/,
  },
  {
    title: "a label with a name of 3 MB whose value is no text",
    pod: { annotations: {}, labels: { ["l".repeat(3_000_000)]: 1 as unknown as string } },
    code: 400,
    message: /^pod\.metadata\.labels\[l{120}…\] must be a string$/,
  },
]);

describeAttacks("Azure,AWS,GCP,Vault", [
  {
    title: "H9: a group of 150,000 / and an x (7.6 s)",
    pod: { annotations: annotationsOf([{ group: `${"/".repeat(150_000)}x`, key: "k", mountRequirement: FILE }]) },
    code: 400,
    message: /webhook\.limits\.annotationLength/,
  },
  {
    title: "H9: 256 groups of 590 / and an x, as long as annotations may be together",
    pod: {
      annotations: annotationsOf(
        many(256, () => ({ group: `${"/".repeat(590)}x`, key: "k".repeat(10), mountRequirement: FILE })),
      ),
    },
    code: 200,
  },
  {
    title: "H9: a group of 150,000 : and an x",
    pod: { annotations: annotationsOf([{ group: `${":".repeat(150_000)}x`, key: "k", mountRequirement: FILE }]) },
    code: 400,
    message: /webhook\.limits\.annotationLength/,
  },
  {
    title: "H9: keys of 253 : and groups of 2,048",
    pod: {
      annotations: annotationsOf(
        many(60, () => ({ group: `${":".repeat(2_047)}x`, key: ":".repeat(253), mountRequirement: FILE })),
      ),
    },
    code: 200,
  },
  {
    title: "H7: 256 secrets of a cloud, each an init container of ours that gets what comes after it",
    pod: {
      annotations: annotationsOf(many(256, (at) => ({ group: `g${at}`, key: "k", mountRequirement: FILE }))),
    },
    code: 200,
  },
  {
    title: "H7: the same among 20,000 init containers with the names of ours",
    pod: {
      annotations: annotationsOf(many(100, (at) => ({ group: `g${at}`, key: "k", mountRequirement: FILE }))),
      spec: {
        initContainers: many(20_000, (at) => ({
          name: `azure-pull-secret-${at + 20_000}`,
          image: "mcr.microsoft.com/azure-cli:cbl-mariner2.0",
          volumeMounts: [{ name: "azure-secret-vol", mountPath: "/etc/flyte/secrets" }],
        })),
      },
    },
    code: 400,
    message: /webhook\.limits\.edits/,
  },
]);

describeAttacks(
  "Global",
  [
    {
      title: "L4: a group of 256 characters, which no file can have (503, for ever)",
      pod: { annotations: annotationsOf([{ group: "g".repeat(256), key: "k" }]) },
      code: 400,
      message: /found neither the variable/,
    },
    {
      title: "L4: a path of more than 2,000 characters",
      pod: { annotations: annotationsOf([{ group: "g/".repeat(1_000), key: "k".repeat(253) }]) },
      code: 400,
      message: /found neither the variable/,
    },
    {
      title: "L4: a file as directory",
      pod: { annotations: annotationsOf([{ group: "passwd", key: "k" }]) },
      code: 400,
      message: /found neither the variable/,
    },
    {
      title: "L4: a directory as file",
      pod: { annotations: annotationsOf([{ group: "ssl", key: "certs" }]) },
      code: 400,
      message: /\/etc\/ssl\/certs: cannot be read: it is a directory|found neither/,
    },
  ],
  { "secrets.secrets-prefix": "/etc" },
);

describe("against a webhook with Embedded", () => {
  const { send, attack } = useWebhook("Embedded", { "webhook.embeddedSecretManagerConfig.type": "Store" });

  test("H7: ten pods of 6,000 requests at once (42 s, and as long for everybody else)", async () => {
    const annotations = annotationsOf(many(6_000, (at) => ({ key: at.toString(36) })));
    const length = Object.entries(annotations).flat().join("").length;
    expect(length).toBeLessThan(MAX_ANNOTATIONS);
    const report = await attack(async () => {
      for (const verdict of await Promise.all(many(10, () => send({ annotations })))) {
        expectRefused(verdict, 400, /^requests of the pod: 6000 .*webhook\.limits\.requests/);
      }
    });
    expectServed(report);
  });

  test("H7: forty pods at once, each with as many requests as may be, of which none is there", async () => {
    const report = await attack(async () => {
      const pods = many(40, (pod) => annotationsOf(many(256, (at) => ({ key: `${pod}-${at}` }))));
      for (const verdict of await Promise.all(pods.map((annotations) => send({ annotations })))) {
        expectRefused(verdict, 400, /secret not found across all scopes/);
      }
    });
    expectServed(report);
  });

  test("H8: 200 pods with a key of 155,000 characters (500: 818 MiB)", async () => {
    const report = await attack(async () => {
      for (let pod = 0; pod < 200; pod++) {
        const annotations = annotationsOf([{ key: String(pod).padStart(155_000, "k") }]);
        expectRefused(await send({ annotations }), 400, /webhook\.limits\.annotationLength/);
      }
    });
    expectServed(report);
  });

  test("H8: 80 pods with 256 other keys each, as long as they may be", async () => {
    const report = await attack(async () => {
      for (let pod = 0; pod < 80; pod++) {
        const annotations = annotationsOf(many(256, (at) => ({ key: `${pod}-${at}`.padStart(200, "k") })));
        expectRefused(await send({ annotations }), 400, /secret not found across all scopes/);
      }
    });
    expectServed(report);
  });

  // 1.2 GiB, or the end of a process with the chart's memory.
  test.each([
    ["2,600,000 empty objects", "{},", 2_600_000],
    ["370,000 empty objects, as many as may be", "{},", 370_000],
    ["250,000 objects of names that differ, as many as may be", (at: number) => `{"${at}":0},`, 250_000],
  ])("+ twelve pods at once of %s", async (_, part, count) => {
    const parts = typeof part === "string" ? part.repeat(count) : many(count, part).join("");
    const tolerations = `[${parts}{}]`;
    const report = await attack(async () => {
      for (let turn = 0; turn < 2; turn++) {
        const verdicts = await Promise.all(many(12, () => send({ annotations: {}, tolerations })));
        // Served, or refused for itself or for all of them together.
        for (const { code } of verdicts) expect([200, 413, 503]).toContain(code);
      }
    });
    expectServed(report);
  });

  test.each([
    ["over the limit of a key", 254, /webhook\.limits\.keyLength/],
    ["whose encoded id can't exist at any scope", 253, /webhook\.limits\.idLength/],
  ])("H8: a key %s is refused before it is looked up, and quoted in part", async (_, length, message) => {
    expectRefused(await send({ annotations: annotationsOf([{ key: "k".repeat(length) }]) }), 400, message);
  });
});
