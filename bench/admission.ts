import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScopeLevel, SecretValue, toRequestAnnotations } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/server";
import { createCertificate } from "@flyte-secrets/testkit";
import { type AdmissionLoad, type AdmissionLoadResult, loadAdmission, postReview } from "./admission-load.ts";
import type { ServerKind, ServerOrder } from "./admission-server.ts";
import { median, residentMib } from "./process.ts";
import { type Row, ratio } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "2");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5");
/** Until V8 has compiled what is hot. */
const WARM_UP_SECONDS = 4;
const NOTHING: AdmissionLoadResult = { perSecond: Number.NaN, p50Ms: Number.NaN, p99Ms: Number.NaN, failed: 0 };

/** What is on the pod and where its secrets live. */
interface Case {
  readonly secrets: number;
  readonly level: Exclude<ScopeLevel, "domain">;
  readonly delivery: "SecretRef" | "Inline";
}

const CASES: readonly Case[] = [
  { secrets: 3, level: "project", delivery: "SecretRef" },
  { secrets: 3, level: "project", delivery: "Inline" },
  { secrets: 3, level: "global", delivery: "SecretRef" },
  { secrets: 20, level: "project", delivery: "SecretRef" },
  { secrets: 20, level: "project", delivery: "Inline" },
];

interface Surroundings {
  readonly folder: string;
  readonly tls: ServerOrder["tls"];
}

/**
 * Admissions a second, one process: the webhook next to the floor handler (with the webhook's own patch) and a bare server. All
 * three stand ready and warm; the load goes to one after the other in short turns, so that a machine whose speed drifts
 * drifts for all, and the ratios are medians of the rounds' own ratios.
 */
export async function benchAdmission(): Promise<Row[]> {
  return inFolder(async (around) => {
    const rows: Row[] = [];
    for (const [index, what] of CASES.entries()) {
      const { directory, reviewFile } = await prepare(around.folder, what, String(index));
      const ours: ServerKind = { kind: "ours", directory, delivery: what.delivery };
      const kinds = [
        ours,
        { kind: "floor", patch: await patchOf(ours, reviewFile, around) },
        { kind: "bare" },
      ] as const;
      const servers = await Promise.all(kinds.map((server) => start({ server, workers: 1, tls: around.tls })));
      const turn = (server: RunningServer, connections: number, seconds: number) =>
        loadAdmission({ url: server.url, reviewFile, ca: around.tls.cert, connections, seconds });
      for (const server of servers) await turn(server, 16, WARM_UP_SECONDS);
      for (const connections of index === 0 ? [1, 16, 64] : [16]) {
        const rounds: AdmissionLoadResult[][] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const results: AdmissionLoadResult[] = [];
          for (const server of servers) results.push(await turn(server, connections, SECONDS));
          rounds.push(results);
        }
        const of = (n: number, pick: (result: AdmissionLoadResult) => number) =>
          median(rounds.map((results) => pick(results[n] ?? NOTHING)));
        const against = (n: number) =>
          median(rounds.map((results) => (results[0] ?? NOTHING).perSecond / (results[n] ?? NOTHING).perSecond));
        rows.push({
          what: `${what.secrets} secrets, ${what.level}, ${what.delivery}`,
          connections,
          ours: Math.round(of(0, ({ perSecond }) => perSecond)),
          floor: Math.round(of(1, ({ perSecond }) => perSecond)),
          bare: Math.round(of(2, ({ perSecond }) => perSecond)),
          "ours/floor": against(1).toFixed(2),
          "ours/bare": against(2).toFixed(2),
          "p50 ms": of(0, ({ p50Ms }) => p50Ms).toFixed(2),
          "p99 ms": of(0, ({ p99Ms }) => p99Ms).toFixed(2),
          failed: rounds.flat().reduce((sum, { failed }) => sum + failed, 0),
        });
      }
      for (const server of servers) server.close();
    }
    return rows;
  });
}

/** Two processes next to one, and a new TLS connection for each request next to the bare server's. */
export async function benchAdmissionScale(): Promise<Row[]> {
  return inFolder(async (around) => {
    const { directory, reviewFile } = await prepare(
      around.folder,
      { secrets: 3, level: "project", delivery: "SecretRef" },
      "scale",
    );
    const ours: ServerKind = { kind: "ours", directory, delivery: "SecretRef" };
    const load = { reviewFile, connections: 16, around };
    const one = await measure({ server: ours, workers: 1 }, load);
    const two = await measure({ server: ours, workers: 2 }, load);
    const fresh = { ...load, newConnections: true };
    const oursFresh = await measure({ server: ours, workers: 1 }, fresh);
    const bareFresh = await measure({ server: { kind: "bare" }, workers: 1 }, fresh);
    const row = (what: string, [measured, reference]: [AdmissionLoadResult, AdmissionLoadResult]): Row => ({
      what,
      measured: Math.round(measured.perSecond),
      reference: Math.round(reference.perSecond),
      ratio: ratio(measured.perSecond, reference.perSecond),
      failed: measured.failed + reference.failed,
    });
    return [
      row("two processes next to one", [two, one]),
      row("new TLS connections next to the bare server's", [oursFresh, bareFresh]),
    ];
  });
}

/** Resident memory after ten thousand admissions and after many more (BENCH_ADMISSIONS, a million by default). */
export async function benchAdmissionMemory(): Promise<Row[]> {
  const many = Number(process.env.BENCH_ADMISSIONS ?? "1000000");
  return inFolder(async (around) => {
    const { directory, reviewFile } = await prepare(
      around.folder,
      { secrets: 3, level: "project", delivery: "SecretRef" },
      "memory",
    );
    const server = await start({
      server: { kind: "ours", directory, delivery: "SecretRef" },
      workers: 1,
      tls: around.tls,
    });
    try {
      let done = 0;
      const until = async (admissions: number) => {
        while (done < admissions) {
          const load = { url: server.url, reviewFile, ca: around.tls.cert, connections: 16, seconds: SECONDS };
          done += Math.round((await loadAdmission(load)).perSecond * SECONDS);
        }
        return { admissions: done, "resident MiB": residentMib(server.pid) };
      };
      return [await until(10_000), await until(many)];
    } finally {
      server.close();
    }
  });
}

async function inFolder<T>(use: (around: Surroundings) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    return await use({ folder, tls: await createCertificate() });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Measured {
  readonly reviewFile: string;
  readonly connections: number;
  readonly newConnections?: boolean;
  readonly around: Surroundings;
}

async function measure(order: Omit<ServerOrder, "tls">, { around, ...load }: Measured): Promise<AdmissionLoadResult> {
  const server = await start({ ...order, tls: around.tls });
  try {
    const target = { ...load, url: server.url, ca: around.tls.cert };
    await loadAdmission({ ...target, newConnections: false, seconds: WARM_UP_SECONDS });
    return await loadAdmission({ ...target, seconds: SECONDS });
  } finally {
    server.close();
  }
}

/** The patch that the webhook answers, for the floor handler to answer one of the same size. */
async function patchOf(server: ServerKind, reviewFile: string, { tls }: Surroundings): Promise<string> {
  const { url, close } = await start({ server, workers: 1, tls });
  const load: AdmissionLoad = { url, reviewFile, ca: tls.cert, connections: 1, seconds: 1 };
  const { text } = await postReview(load);
  close();
  const { response } = JSON.parse(text) as { response: { patch?: string } };
  if (response.patch === undefined) throw new Error(`the webhook did not change the pod: ${text}`);
  return response.patch;
}

interface RunningServer {
  readonly url: string;
  readonly pid: number;
  close(): void;
}

async function start(order: ServerOrder): Promise<RunningServer> {
  const child = fork(join(import.meta.dirname, "admission-server.ts"), { stdio: "inherit" });
  child.send(order);
  const port = await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url: `https://127.0.0.1:${port}/mutate--v1-pod`, pid: child.pid ?? 0, close: () => child.disconnect() };
}

/** A store with the secrets, and the review of a pod of about 6 KB with two containers that asks for them; every third as a file. */
async function prepare(
  folder: string,
  { secrets, level }: Case,
  name: string,
): Promise<{ directory: string; reviewFile: string }> {
  const directory = join(folder, name);
  const scope = level === "project" ? { domain: "development", project: "flytesnacks" } : { domain: "", project: "" };
  const store = await openEmbeddedStore({ directory });
  const keys = Array.from({ length: secrets }, (_, n) => `secret-${n}`);
  for (const key of keys) {
    await store.create(
      { org: "flyte", ...scope, name: key },
      { value: SecretValue.fromText(`value-of-${key}-0123456789`), type: "generic" },
    );
  }
  await store.close();
  const requests = keys.map((key, n) => ({
    group: "",
    groupVersion: "",
    key,
    mountRequirement: n % 3 === 2 ? 2 : 1,
    envVar: "",
  }));
  const reviewFile = join(folder, `${name}.json`);
  writeFileSync(reviewFile, JSON.stringify(review(toRequestAnnotations(requests))));
  return { directory, reviewFile };
}

function review(annotations: Record<string, string>): unknown {
  const user = { username: "system:serviceaccount:flyte:executor", groups: ["system:authenticated"] };
  const container = (name: string) => ({
    name,
    image: "registry.example/team/tasks@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    args: [
      "pyflyte-execute",
      "--inputs",
      "s3://bucket/metadata/propeller/flytesnacks-development-f1/n0/data/inputs.pb",
    ],
    env: Array.from({ length: 14 }, (_, n) => ({
      name: `FLYTE_INTERNAL_SETTING_${n}`,
      value: `value-${n}-of-some-length`,
    })),
    resources: { limits: { cpu: "2", memory: "4Gi" }, requests: { cpu: "1", memory: "2Gi" } },
    volumeMounts: [
      { name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
    ],
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
    imagePullPolicy: "IfNotPresent",
  });
  const labels = {
    organization: "flyte",
    project: "flytesnacks",
    domain: "development",
    "inject-flyte-secrets": "true",
  };
  const managed = { manager: "flytepropeller", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1" };
  const fields = Object.fromEntries(
    Array.from({ length: 30 }, (_, n) => [`f:field-${n}`, { "f:name": {}, "f:value": {} }]),
  );
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      name: "f1-n0-0",
      namespace: "flytesnacks-development",
      operation: "CREATE",
      userInfo: user,
      object: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "f1-n0-0",
          namespace: "flytesnacks-development",
          labels,
          annotations,
          managedFields: [{ ...managed, fieldsV1: fields }],
        },
        spec: {
          containers: [container("primary"), container("sidecar")],
          volumes: [{ name: "kube-api-access", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }],
          restartPolicy: "Never",
        },
      },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  };
}
