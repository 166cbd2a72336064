// Values that are given a namespace of their own on a live release, and taken back: with Helm, and without its
// `lookup`.
import { encodeSecretId, kubernetesSecretName } from "@flyte-secrets/core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { requireHelm } from "./helm.ts";
import { type InstallationSite, startInstallationSite } from "./installation-site.ts";

const API_KEY = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const SCOPE = ["-p", "shop", "-d", "development"];
const refersTo = (name: unknown) => ({
  name: "KEY",
  valueFrom: { secretKeyRef: { name, key: encodeSecretId(API_KEY) } },
});
const TO_MANAGED = refersTo(kubernetesSecretName(API_KEY));
const TO_WRITTEN = refersTo(expect.stringMatching(/^flyte-secrets-[0-9a-f]{32}$/));

/** As from an earlier chart: values where pods are. */
const TOGETHER = {};
/** Pods stay where Flyte makes them, and values get a place of their own. */
const APART = {
  "flyte-core-components": {
    actions: { kubernetes: { namespace: "flyte" } },
    secret: { kubernetes: { namespace: "values" } },
  },
};
const LEFT_BEHIND =
  "namespace values has no managed Secrets and flyte has some: copy them with `flyte-secrets copy-secrets --from flyte --to values`";

const helm = requireHelm();

describeWith(helm.missing ? helm : requireKubernetes(), "a release whose values move", () => {
  let site: InstallationSite;
  beforeAll(async () => {
    site = await startInstallationSite("values");
  });
  afterAll(() => site?.close());
  afterEach(() => site.clear());

  const valueIn = async (namespace: string) => {
    const name = kubernetesSecretName(API_KEY);
    const { data } = JSON.parse(await site.cluster.kubectl(["get", "secret", name, "-n", namespace, "-o", "json"]));
    return Buffer.from(data[encodeSecretId(API_KEY)], "base64").toString();
  };
  const isReady = (readiness: () => Promise<string>) =>
    vi.waitUntil(async () => (await readiness()).startsWith("200"), { timeout: 20_000, interval: 200 });

  test.each([
    [
      "by Helm",
      { install: () => site.install(TOGETHER), upgrade: () => site.upgrade(APART), rollback: () => site.rollback(1) },
    ],
    [
      "without Helm's lookup",
      { install: () => site.apply(TOGETHER), upgrade: () => site.apply(APART), rollback: () => site.apply(TOGETHER) },
    ],
  ])("waits until they are copied, serves from their new place, and goes back, %s", async (_, release) => {
    await release.install();
    const before = await site.startService();
    await before(["create", "secret", "api-key", ...SCOPE, "--from-file", "-"], "CANARY one");
    await site.startWebhook();
    await site.untilAdmitted("flyte");
    expect((await site.createPod("flyte")).env).toContainEqual(TO_MANAGED);
    await site.stop();

    // The new pods are not ready, so the old ones would serve on.
    await release.upgrade();
    const [webhook, service] = [await site.beginWebhook(), await site.beginService()];
    await vi.waitUntil(async () => (await webhook()).includes(LEFT_BEHIND), { timeout: 20_000, interval: 200 });
    expect(await service()).toMatch(/^503 store Kubernetes: store_unavailable/);
    expect(site.printed()).toContain(LEFT_BEHIND);

    const move = ["copy-secrets", "--from", "flyte", "--to", "values"];
    const told = "copied      api-key (project shop, domain development)\n";
    const counted = "From flyte to values: 1 copied, 0 overwritten, 0 there already, 0 differ.";
    const ended = { exitCode: 0, stderr: "" };
    expect(await site.administer([...move, "--dry-run"])).toEqual({
      ...ended,
      stdout: `${told}${counted} Nothing was kept (--dry-run).\n`,
    });
    expect(await service()).toMatch(/^503/);
    expect(await site.administer(move)).toEqual({ ...ended, stdout: `${told}${counted}\n` });
    const again = counted.replace("1 copied", "0 copied").replace("0 there", "1 there");
    expect(await site.administer(move)).toEqual({ ...ended, stdout: `${again}\n` });

    await Promise.all([isReady(webhook), isReady(service)]);
    await site.untilAdmitted("flyte");
    expect((await site.createPod("flyte")).env).toContainEqual(TO_WRITTEN);
    expect(site.refusals()).toEqual([]);
    await site.stop();
    const after = await site.startService();
    await after(["update", "secret", "api-key", ...SCOPE, "--from-file", "-"], "CANARY two");
    await site.stop();

    // What was changed in the new place has to be brought along.
    const back = ["copy-secrets", "--from", "values", "--to", "flyte"];
    expect(await site.administer(back)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining("differs     api-key"),
      stderr: expect.stringContaining("1 secret has another value in flyte, which stays unless --overwrite is given"),
    });
    expect(await valueIn("flyte")).toBe("CANARY one");
    const { stdout } = await site.administer([...back, "--overwrite"]);
    expect(stdout).toContain("overwritten api-key");
    expect(stdout).not.toContain("CANARY");
    expect(await valueIn("flyte")).toBe("CANARY two");
    await release.rollback();
    await site.startService();
    await site.startWebhook();
    await site.untilAdmitted("flyte");
    expect((await site.createPod("flyte")).env).toContainEqual(TO_MANAGED);
    expect(site.refusals()).toEqual([]);
  });
});
