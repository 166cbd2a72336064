// `certs --renew` as an operator types it: from a machine outside the cluster, with a webhook that serves, one that
// hangs, and none.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { CHART, helm, requireHelm } from "../installation/helm.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "./webhook-process.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
/** As the chart calls it for the release `acme`. */
const NAME = "acme-flyte-secrets-webhook";
const DOCKERFILE = readFileSync(join(import.meta.dirname, "../../deploy/Dockerfile"), "utf8");
const ENTRYPOINT: string[] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1] ?? "[]");
const PLACE = "Secret platform/acme-certificate";

const NEEDED = [requireKubernetes(), requireHelm()].find(({ missing }) => missing) ?? { missing: false as const };

describeWith(NEEDED, "certs on a real API server", () => {
  let cluster: Cluster;
  let home: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", "platform"]);
    const values = { configuration: { inline: { webhook: { secretName: "acme-certificate" } } } };
    const rendered = await helm(["template", "acme", CHART, "--namespace", "platform"], { values });
    const objects = parseAllDocuments(rendered).map((document) => document.toJS());
    for (const object of objects.filter((one) => one?.kind === "ConfigMap")) {
      await cluster.kubectl(["create", "-f", "-"], JSON.stringify(object));
    }
    home = mkdtempSync(join(tmpdir(), "flyte-secrets-certs-"));
  });
  afterAll(async () => {
    await cluster?.close();
    rmSync(home, { recursive: true, force: true });
  });

  const call = (...args: string[]) =>
    runProgram(process.execPath, [COMMAND, ...args], { env: { HOME: home, KUBECONFIG: cluster.adminKubeconfig } });

  async function serve(settings: Record<string, string> = {}): Promise<RegisteredWebhook> {
    const webhook = await startRegisteredWebhook(
      cluster.adminKubeconfig,
      { name: NAME, "webhook.secretName": "acme-certificate", ...settings },
      { POD_NAMESPACE: "platform" },
    );
    onTestFinished(async () => void (await webhook.stop()));
    while ((await fetch(`http://127.0.0.1:${webhook.ports.probes}/readyz`)).status !== 200);
    return webhook;
  }

  const shown = (text: string, what: string) => new RegExp(`^${what} +(.*)$`, "m").exec(text)?.[1];

  test("by KUBECONFIG alone it finds what the chart installed, and ends when the new one is registered and served", async () => {
    const webhook = await serve();
    const before = await call("certs");
    expect([before.exitCode, before.stderr]).toEqual([0, ""]);
    expect(shown(before.stdout, "In")).toBe(PLACE);
    expect(shown(before.stdout, "Configured")).toBe(`by ConfigMap platform/${NAME}`);
    // The configuration of the chart doesn't know the address by which this one is called.
    expect(shown(before.stdout, "Names")).toContain("127.0.0.1");

    const renewed = await call("certs", "--renew");
    expect([renewed.exitCode, renewed.stderr]).toEqual([0, expect.stringMatching(/^Waiting for the webhook/)]);
    expect(renewed.stdout).toMatch(
      new RegExp(`^Renewed the certificate in ${PLACE} at https://127.0.0.1:\\d+ \\(context`),
    );
    const [old, now] = [before, renewed].map(({ stdout }) => shown(stdout, "SHA-256"));
    expect(now).not.toBe(old);
    expect(shown(renewed.stdout, "Names")).toContain("127.0.0.1");
    expect(shown(renewed.stdout, "Registration")).toBe("carries its CA");
    expect(shown(renewed.stdout, "Served")).toBe("8 of 8 answers to the API server came by it");
    expect(webhook.output()).toContain(`"sha256":"${now}","before":"${old}","msg":"serving with another certificate"`);
    expect(readdirSync(home)).toEqual([]);
  });

  test("it fails, and names both, while the webhook serves the old one and nobody registers the new one", async () => {
    await serve();
    const early = await call("certs", "--renew", "--wait", "2s");
    expect(early.exitCode).toBe(1);
    expect(early.stderr).toMatch(
      new RegExp(
        `error: ${PLACE} has the new certificate, and after 2 s it is not served: 0 of 8 answers to the API server came by it, ` +
          "others by ([0-9A-F]{2}:){31}[0-9A-F]{2}\\. Look at the webhook's log",
      ),
    );
  });

  test("it fails where no webhook runs, with what the API server says", async () => {
    await (await serve()).stop();
    const { exitCode, stderr } = await call("certs", "--renew", "--wait", "1s");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `${PLACE} has the new certificate, and after 1 s it is not served: create pods flyte-secrets-doctor .*500`,
      ),
    );
    expect(stderr).toContain(`; MutatingWebhookConfiguration ${NAME} carries another CA.`);
  });

  test("two installations are named, and one is chosen by its namespace", async () => {
    await cluster.kubectl(["create", "namespace", "other"]);
    const labels = "app.kubernetes.io/part-of=flyte,app.kubernetes.io/component=webhook";
    await cluster.kubectl(["create", "configmap", "theirs", "-n", "other", "--from-literal=config.yaml=webhook: {}"]);
    await cluster.kubectl(["label", "configmap", "theirs", "-n", "other", ...labels.split(",")]);
    onTestFinished(async () => void (await cluster.kubectl(["delete", "configmap", "theirs", "-n", "other"])));
    const both = await call("certs");
    expect([both.exitCode, both.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^error: 2 installations are there: theirs in namespace other, acme in namespace platform\. Choose/,
      ),
    ]);
    expect(shown((await call("certs", "-n", "platform")).stdout, "In")).toBe(PLACE);
  });

  test("an installation that names namespaces that are missing is refused before anything is made", async () => {
    const webhook = { writtenSecrets: { namespaces: ["platform", "team-x", "team-y"] } };
    const install = () =>
      helm(["install", "late", CHART, "--namespace", "platform"], {
        kubeconfig: cluster.adminKubeconfig,
        values: { configuration: { inline: { webhook } } },
      });
    await expect(install()).rejects.toThrow(
      "namespaces are missing that this release has Roles in: team-x, team-y. Make what is missing and try again: " +
        "kubectl create namespace team-x; kubectl create namespace team-y",
    );
    const kinds = "secrets,configmaps,serviceaccounts,deployments,mutatingwebhookconfigurations";
    const made = await cluster.kubectl(["get", kinds, "-A", "-o", "name", "-l", "app.kubernetes.io/instance=late"]);
    expect(made).toBe("");
    for (const name of ["team-x", "team-y"]) await cluster.kubectl(["create", "namespace", name]);
    const notes = await install();
    onTestFinished(
      async () =>
        void (await helm(["uninstall", "late", "--namespace", "platform"], { kubeconfig: cluster.adminKubeconfig })),
    );
    const command = `/nodejs/bin/node ${ENTRYPOINT.at(-1)} doctor --cluster --for webhook -c '/etc/flyte/config.d/*.yaml'`;
    expect(notes).toContain(`kubectl exec -n platform deploy/late-flyte-secrets-webhook -c webhook -- ${command}\n`);
    const fetched = /^ {2}kubectl (get configmap .*) > flyte-secrets\.yaml$/m.exec(notes)?.[1] ?? "";
    const text = await cluster.kubectl(fetched.replaceAll("'", "").split(" "));
    expect(text).toContain("serviceName: late-flyte-secrets-webhook\n");
  });

  test("doctor --cluster checks by what the chart configured, and finds pods that ask without the label", async () => {
    await serve();
    const annotations = { "flyte.secrets/s0": "nfxg6yzaebuw4ytpo4======" };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "unlabelled", namespace: "platform", annotations },
      spec: { containers: [{ name: "main", image: "train" }] },
    };
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify(pod));
    onTestFinished(
      async () => void (await cluster.kubectl(["delete", "pod", "-n", "platform", "unlabelled", "--force"])),
    );
    const { stdout } = await call("doctor", "--cluster", "--for", "webhook");
    expect(stdout).toContain(`configuration of ConfigMap platform/${NAME} in order`);
    expect(stdout).toContain(`MutatingWebhookConfiguration ${NAME} carries its CA`);
    expect(stdout).not.toContain("is not there");
    expect(stdout).toMatch(/^problem +Pod platform\/unlabelled/m);
  });
});
