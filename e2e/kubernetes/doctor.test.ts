// `doctor --cluster` on a real API server: nothing to find, and then each defect, made on purpose.
import { join } from "node:path";
import { INJECT_LABEL, toRequestAnnotations } from "@flyte-secrets/core";
import { createCertificate } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type AccountRules, type Cluster, freePort, requireKubernetes, startCluster } from "./cluster.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "./webhook-process.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const NAME = "flyte-pod-webhook";
const ACCOUNT = "system:serviceaccount:flyte:both";
const SECRETS = {
  apiGroups: [""],
  resources: ["secrets"],
  verbs: ["create", "get", "list", "watch", "update", "patch", "delete"],
};
const PODS = { apiGroups: [""], resources: ["pods"], verbs: ["list"] };
const NAMESPACES = { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] };
const REGISTRATIONS = {
  apiGroups: ["admissionregistration.k8s.io"],
  resources: ["mutatingwebhookconfigurations"],
  verbs: ["create", "list", "watch", "update"],
};

interface Finding {
  readonly state: "ok" | "note" | "problem";
  readonly what: string;
  readonly remedy?: string;
}

describeWith(requireKubernetes(), "doctor --cluster on a real API server", () => {
  let cluster: Cluster;
  let kubeconfig: string;
  let port: number;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of ["flyte", "shop-dev"]) await cluster.kubectl(["create", "namespace", namespace]);
    kubeconfig = await grant(SECRETS, PODS, REGISTRATIONS);
    port = await freePort();
  });
  afterAll(() => cluster?.close());

  const grant = (...rules: AccountRules["rules"]) => cluster.createAccount({ namespace: "flyte", name: "both", rules });

  async function diagnose(...args: string[]): Promise<{ exitCode: number; findings: Finding[]; problems: string[] }> {
    // No namespace is shared by values and pods: what is said of that is tried with the chart.
    const apart = "--webhook.scopeBinding.trustedNamespaces=tasks";
    const kubeconfigOption = `--secret.kubernetes.kubeconfig=${cluster.adminKubeconfig}`;
    const settings = ["--secret.store.type=Kubernetes", kubeconfigOption, apart];
    const { exitCode, stdout, stderr } = await runProgram(
      process.execPath,
      [COMMAND, "doctor", "--cluster", "-o", "json-raw", "-n", "flyte", ...settings, ...args],
      { env: { HOME: cluster.directory } },
    );
    if (!stdout.startsWith("[")) throw new Error(stderr);
    const findings: Finding[] = JSON.parse(stdout);
    return { exitCode, findings, problems: findings.flatMap(({ state, what }) => (state === "problem" ? [what] : [])) };
  }

  /** The webhook, until the test is over; it registers itself unless `settings` say otherwise. */
  async function serve(settings: Record<string, string> = {}): Promise<RegisteredWebhook> {
    const webhook = await startRegisteredWebhook(kubeconfig, {
      name: NAME,
      "webhook.listenPort": String(port),
      "webhook.url": `https://127.0.0.1:${port}/mutate--v1-pod`,
      ...settings,
    });
    onTestFinished(async () => void (await webhook.stop()));
    return webhook;
  }

  /** A webhook that serves, registered, and known to the API server. */
  async function serveRegistered(): Promise<RegisteredWebhook> {
    const webhook = await serve();
    await vi.waitUntil(async () => (await diagnose("--for", "webhook")).exitCode === 0, { timeout: 30_000 });
    return webhook;
  }

  test("nothing is wrong where all is there", async () => {
    await serveRegistered();
    const { exitCode, findings } = await diagnose("--as", ACCOUNT);
    expect([exitCode, findings]).toEqual([
      0,
      [
        { state: "ok", what: expect.stringMatching(/^Node .*, configuration in order$/) },
        { state: "ok", what: "the API server's clock agrees with this one" },
        { state: "ok", what: "namespace flyte is there" },
        { state: "ok", what: `${ACCOUNT} has every right that the service needs` },
        { state: "ok", what: `${ACCOUNT} has every right that the webhook needs` },
        { state: "ok", what: "the secrets in namespace flyte can be found by their Secrets' names" },
        {
          state: "ok",
          what: expect.stringMatching(/^the certificate in Secret flyte\/flyte-pod-webhook is good until 2/),
        },
        { state: "ok", what: `MutatingWebhookConfiguration ${NAME} carries its CA` },
        {
          state: "ok",
          what: `the webhook serves 127.0.0.1:${port} with a certificate that its registration vouches for`,
        },
        { state: "ok", what: "the API server asks the webhook about pods" },
        { state: "note", what: expect.stringMatching(/^the service speaks plain HTTP/) },
        { state: "note", what: expect.stringMatching(/^\/metrics of the service asks for the credentials/) },
        { state: "note", what: expect.stringMatching(/^\/invalidate-secret has no token/) },
      ],
    ]);
    expect(await cluster.kubectl(["get", "pods", "-A", "-o", "name"])).toBe("");
  });

  test("what another cluster that secrets are kept in lacks is named with that cluster", async () => {
    const rules = [{ ...SECRETS, verbs: ["create", "get", "list", "update"] }, NAMESPACES];
    const narrow = await cluster.createAccount({ namespace: "flyte", name: "west", rules });
    const others = `--secret.kubernetes.otherClusters=${JSON.stringify({ west: narrow, east: cluster.adminKubeconfig })}`;
    const { findings } = await diagnose("--for", "service", others);
    const west = "system:serviceaccount:flyte:west";
    const told = findings.filter(({ what }) => /^cluster (?:west|east): /.test(what));
    expect(told).toEqual([
      { state: "ok", what: "cluster west: the API server's clock agrees with this one" },
      { state: "ok", what: "cluster west: namespace flyte is there" },
      { state: "ok", what: "cluster west: the secrets in namespace flyte can be found by their Secrets' names" },
      {
        state: "problem",
        what: `cluster west: ${west} may not delete secrets of namespace flyte, which the service needs to keep the secrets`,
        remedy:
          'give it, by a Role in namespace flyte, the rule {apiGroups: [""], resources: [secrets], verbs: [delete]}',
      },
      {
        state: "note",
        what:
          `cluster west: ${west} may not watch secrets of namespace flyte: the service works, but cannot answer from memory. ` +
          "To change that, give it, by a Role in namespace flyte, the rule " +
          '{apiGroups: [""], resources: [secrets], verbs: [watch]}',
      },
      { state: "ok", what: "cluster east: the API server's clock agrees with this one" },
      { state: "ok", what: "cluster east: namespace flyte is there" },
      { state: "ok", what: "cluster east: the secrets in namespace flyte can be found by their Secrets' names" },
      { state: "ok", what: expect.stringMatching(/^cluster east: .* has every right that the service needs$/) },
    ]);
  });

  test("a Secret of the wrong name, and one without its labels, are named with what they should have, and no value", async () => {
    const form = async (...args: string[]) =>
      JSON.parse((await runProgram(process.execPath, [COMMAND, "name", ...args, "-o", "json"])).stdout);
    const right = await form("api-key", "-p", "shop", "-d", "development");
    const stringData = { [right.dataKey]: "canary" };
    const apply = (metadata: object) =>
      cluster.kubectl(
        ["apply", "-n", "flyte", "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData }),
      );
    onTestFinished(
      async () => void (await cluster.kubectl(["delete", "secret", "-n", "flyte", "api-key", right.name])),
    );
    await apply({ name: "api-key", labels: right.labels });
    await apply({ name: right.name });
    const { findings } = await diagnose("--for", "service");
    expect(findings.filter(({ what }) => what.startsWith("Secret "))).toEqual([
      {
        state: "problem",
        what: expect.stringMatching(
          new RegExp(`^Secret ${right.name} in namespace flyte: .* not listed, for want of labels$`),
        ),
        remedy: "label it app.flyte.org/managed=true app.flyte.org/domain=development app.flyte.org/project=shop",
      },
      {
        state: "problem",
        what: `Secret api-key in namespace flyte: its data key ${right.dataKey} belongs into a Secret named ${right.name}`,
        remedy: `name it ${right.name}`,
      },
    ]);
    expect(JSON.stringify(findings)).not.toMatch(/canary|Y2FuYXJ5/);
  });

  test("an account that lacks verbs is named, with them and the rule to give it", async () => {
    await serveRegistered();
    await grant({ ...SECRETS, verbs: ["create", "get", "list", "watch", "patch"] }, REGISTRATIONS);
    onTestFinished(async () => void (await grant(SECRETS, PODS, REGISTRATIONS)));
    const { exitCode, findings } = await diagnose("--as", ACCOUNT);
    expect(exitCode).toBe(1);
    const rule = (resource: string, verbs: string, more = "") =>
      `the rule {apiGroups: [""], resources: [${resource}], verbs: [${verbs}]${more}}`;
    expect(findings.filter(({ state }) => state === "problem")).toEqual([
      {
        state: "problem",
        what: `${ACCOUNT} may not update, delete secrets of namespace flyte, which the service needs to keep the secrets`,
        remedy: `give it, by a Role in namespace flyte, ${rule("secrets", "update, delete")}`,
      },
      {
        state: "problem",
        what: `${ACCOUNT} may not update secrets named ${NAME} of namespace flyte, which the webhook needs to keep its certificate`,
        remedy: `give it, by a Role in namespace flyte, ${rule("secrets", "update", `, resourceNames: [${NAME}]`)}`,
      },
      {
        state: "problem",
        what: `${ACCOUNT} may not delete secrets of all namespaces, which the webhook needs to write the Secrets of pods`,
        remedy: `give it, by a ClusterRole, ${rule("secrets", "delete")}`,
      },
      {
        state: "problem",
        what: `${ACCOUNT} may not list pods of all namespaces, which the webhook needs to see which of the Secrets it wrote are in use`,
        remedy: `give it, by a ClusterRole, ${rule("pods", "list")}`,
      },
    ]);
  });

  test("no right is asked for on a certificate that others keep, nor to make what is there", async () => {
    await (await serveRegistered()).stop();
    await cluster.kubectl(["annotate", "secret", "-n", "flyte", NAME, "cert-manager.io/certificate-name=webhook"]);
    onTestFinished(async () => {
      await grant(SECRETS, PODS, REGISTRATIONS);
      await cluster.kubectl(["annotate", "secret", "-n", "flyte", NAME, "cert-manager.io/certificate-name-"]);
    });
    const verbs = ["list", "watch", "update"];
    await grant({ ...SECRETS, verbs: ["get", "list", "watch"] }, PODS, {
      ...REGISTRATIONS,
      verbs,
      resourceNames: [NAME],
    });
    const { findings } = await diagnose(
      "--for",
      "webhook",
      "--as",
      ACCOUNT,
      "--webhook.writtenSecrets.namespaces=flyte",
    );
    expect(findings.map(({ what }) => what)).toContain(`${ACCOUNT} has every right that the webhook needs`);
  });

  test("an account looks at itself as far as it may", async () => {
    await serveRegistered();
    const { exitCode, findings } = await diagnose("--for", "webhook", `--secret.kubernetes.kubeconfig=${kubeconfig}`);
    expect(exitCode).toBe(0);
    expect(findings.map(({ state, what }) => `${state} ${what}`)).toEqual(
      expect.arrayContaining([
        `ok ${ACCOUNT} has every right that the webhook needs`,
        expect.stringMatching(
          /^note namespace flyte: not looked at, since get namespaces flyte: we have no permission/,
        ),
        expect.stringMatching(/^note the registration: not looked at, since .* no permission to get mutatingwebhook/),
      ]),
    );
  });

  test("a namespace that is missing, and one that is being deleted", async () => {
    await serveRegistered();
    const absent = await diagnose("--secret.kubernetes.namespace=absent");
    expect([absent.exitCode, absent.problems]).toEqual([
      1,
      ["namespace absent (secret.kubernetes.namespace) does not exist"],
    ]);
    await cluster.kubectl(["create", "namespace", "doomed"]);
    await cluster.kubectl(["delete", "namespace", "doomed", "--wait=false"]);
    expect((await diagnose("--secret.kubernetes.namespace=doomed")).problems).toEqual([
      "namespace doomed (secret.kubernetes.namespace) is being deleted",
    ]);
  });

  test("a webhook that does not run", async () => {
    await (await serveRegistered()).stop();
    expect((await diagnose()).problems).toEqual([
      `the webhook at 127.0.0.1:${port} cannot be reached (ECONNREFUSED)`,
      expect.stringMatching(/^the API server does not get an answer from the webhook: create pods/),
    ]);
  });

  test("a registration with another CA", async () => {
    await (await serveRegistered()).stop();
    await serve({ "webhook.disableCreateMutatingWebhookConfig": "true" });
    const caBundle = Buffer.from((await createCertificate()).cert).toString("base64");
    const patch = [{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: caBundle }];
    await cluster.kubectl(["patch", "mutatingwebhookconfiguration", NAME, "--type=json", "-p", JSON.stringify(patch)]);
    await vi.waitFor(
      async () =>
        expect((await diagnose()).problems).toEqual([
          `MutatingWebhookConfiguration ${NAME} carries another CA than the certificate's, so the API server refuses to talk to the webhook`,
          expect.stringMatching(
            `^the webhook at 127.0.0.1:${port} serves a certificate that its registration does not vouch for \\(`,
          ),
          expect.stringMatching(/^the API server does not get an answer from the webhook: /),
        ]),
      { timeout: 30_000 },
    );
  });

  test("no registration, and the pods that came without the webhook", async () => {
    await (await serveRegistered()).stop();
    await cluster.kubectl(["delete", "mutatingwebhookconfiguration", NAME]);
    const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "dev" };
    const request = { key: "api-key", group: "", groupVersion: "", mountRequirement: 1, envVar: "KEY" } as const;
    const metadata = { name: "early", namespace: "shop-dev", labels, annotations: toRequestAnnotations([request]) };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "train" }] } };
    // The API server hears a moment later that nobody is to be asked.
    await vi.waitFor(() => cluster.kubectl(["create", "-f", "-"], JSON.stringify(pod)), { timeout: 30_000 });
    onTestFinished(async () => void (await cluster.kubectl(["delete", "pod", "-n", "shop-dev", "early", "--force"])));
    expect((await diagnose()).problems).toEqual([
      `MutatingWebhookConfiguration ${NAME} is not there or has not our webhook: pods get no secrets`,
      "Pod shop-dev/early asks for api-key and did not get it: the webhook was not asked when the pod was made",
    ]);
  });

  test("no certificate, and one that has ended", async () => {
    await (await serveRegistered()).stop();
    await cluster.kubectl(["delete", "mutatingwebhookconfiguration", NAME]);
    await cluster.kubectl(["delete", "secret", "-n", "flyte", NAME]);
    const [first] = (await diagnose()).problems;
    expect(first).toBe(`there is no certificate in Secret flyte/${NAME}`);
    const { cert, key } = await createCertificate(Date.now() - 2 * 3_600_000);
    const stringData = { "tls.crt": cert, "tls.key": key, "ca.crt": cert };
    const labels = { "app.flyte.org/certificate": "self-made" };
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: NAME, namespace: "flyte", labels },
      stringData,
    };
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify(secret));
    expect((await diagnose()).problems).toEqual([
      expect.stringMatching(`^the certificate in Secret flyte/${NAME} can't be served with: it ended on `),
      `MutatingWebhookConfiguration ${NAME} is not there or has not our webhook: pods get no secrets`,
    ]);
  });
});
