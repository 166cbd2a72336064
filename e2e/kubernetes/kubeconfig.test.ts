// Kubeconfigs, read by kubectl and by us: what both send to one server, or that both refuse.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSecretsError, systemClock } from "@flyte-secrets/core";
import { createKubeClient, loadClusterConnection } from "@flyte-secrets/kube";
import { createCertificate } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { kubernetesPrograms, requireKubernetes } from "./cluster.ts";
import { KUBECONFIG_CASES, type KubeconfigSite } from "./kubeconfig-cases.ts";
import { type RecordedRequest, type RecordingApiServer, startRecordingApiServer } from "./recording-api-server.ts";

/** What a client made of a kubeconfig. */
interface Outcome {
  readonly requests: readonly RecordedRequest[];
  /** What its plugin was told, if that was run: `KUBERNETES_EXEC_INFO`, and what it read from standard input. */
  readonly plugin?: unknown;
  readonly refusal?: string;
}

describeWith(requireKubernetes(), "kubeconfigs as kubectl reads them", () => {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-kubeconfig-"));
  let secure: RecordingApiServer;
  let plain: RecordingApiServer;
  let site: KubeconfigSite;

  beforeAll(async () => {
    const serving = await createCertificate();
    const client = await createCertificate();
    secure = await startRecordingApiServer(serving);
    plain = await startRecordingApiServer();
    const pluginCertificate = await createCertificate();
    site = {
      directory,
      secure: secure.url,
      plain: plain.url,
      plainPort: plain.port,
      serving,
      client,
      pluginCertificate,
    };
  });
  afterAll(async () => {
    await secure?.close();
    await plain?.close();
    rmSync(directory, { recursive: true });
  });

  it.each(KUBECONFIG_CASES)("$title", async ({ files, paths: names = "config", onlyWeRefuse, onlyWeAsk }) => {
    for (const [name, content] of Object.entries(files(site))) {
      const path = join(directory, name);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, typeof content === "string" || Buffer.isBuffer(content) ? content : JSON.stringify(content));
      if (name.endsWith(".sh")) chmodSync(path, 0o755);
    }
    const paths = names
      .split(":")
      .map((name) => join(directory, name))
      .join(":");
    const theirs = await outcome(() => askByKubectl(paths));
    const ours = await outcome(() => askByUs(paths));
    if (onlyWeRefuse !== undefined) {
      expect(ours.refusal).toMatch(onlyWeRefuse);
      return;
    }
    if (onlyWeAsk !== undefined) {
      expect(theirs.refusal).toMatch(onlyWeAsk);
      expect(ours).toEqual({ requests: [{ path: "/version", identity: {} }] });
      return;
    }
    expect(ours.requests).toEqual(theirs.requests);
    expect(ours.plugin).toEqual(theirs.plugin);
    expect(ours.refusal === undefined ? "asked" : "refused").toBe(theirs.refusal === undefined ? "asked" : "refused");
  });

  async function outcome(ask: () => Promise<string | undefined>): Promise<Outcome> {
    const told = join(directory, "told");
    rmSync(told, { force: true });
    const refusal = await ask();
    const requests = [...secure.takeRequests(), ...plain.takeRequests()];
    const plugin = readIfThere(told);
    return { requests, ...(plugin && { plugin: JSON.parse(plugin) }), ...(refusal !== undefined && { refusal }) };
  }

  /** Why it was refused. */
  async function askByKubectl(paths: string): Promise<string | undefined> {
    const env = { HOME: directory, KUBECONFIG: paths };
    const { exitCode, stderr } = await runProgram(join(kubernetesPrograms(), "kubectl"), ["version"], {
      env,
    });
    return exitCode === 0 ? undefined : stderr;
  }

  async function askByUs(paths: string): Promise<string | undefined> {
    const env = { PATH: process.env.PATH, HOME: directory, KUBECONFIG: paths };
    try {
      const connection = loadClusterConnection({ kubeconfig: "", env, home: directory, clock: systemClock });
      const client = createKubeClient({ connection, qps: 10, burst: 10, timeoutMs: 30_000, clock: systemClock });
      try {
        await client.request("GET", "/version");
        return undefined;
      } finally {
        client.close();
      }
    } catch (error) {
      if (!isSecretsError(error)) throw error;
      return `${error.code}: ${error.message}`;
    }
  }
});

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
