// What chart and manifests install as they say it: commands, accounts, configuration, on a real API server.
import { once } from "node:events";
import { join } from "node:path";
import { connect } from "node:tls";
import { encodeSecretId, kubernetesSecretName } from "@flyte-secrets/core";
import { createCertificate } from "@flyte-secrets/testkit";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { requireHelm } from "./helm.ts";
import { CERTIFICATE, type InstallationSite, startInstallationSite, writingIn } from "./installation-site.ts";
import { MANIFESTS } from "./manifests.ts";

const API_KEY = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const SCOPE = ["-p", "shop", "-d", "development"];
const IMAGE_PULL = "--type image_pull --registry ghcr.io --username octocat --password password".split(" ");
const MANAGED = `Secret flyte ${kubernetesSecretName(API_KEY)}`;

/** What a pod in the namespace of the secrets gets: a reference to the secret itself. */
const TO_MANAGED = {
  name: "KEY",
  valueFrom: { secretKeyRef: { name: kubernetesSecretName(API_KEY), key: encodeSecretId(API_KEY) } },
};
/** What a pod elsewhere gets: a reference to a Secret that was written for it. */
const TO_WRITTEN = {
  name: "KEY",
  valueFrom: {
    secretKeyRef: { name: expect.stringMatching(/^flyte-secrets-[0-9a-f]{32}$/), key: encodeSecretId(API_KEY) },
  },
};

const helm = requireHelm();

describeWith(helm.missing ? helm : requireKubernetes(), "an installation", () => {
  let site: InstallationSite;
  let kubectl: InstallationSite["cluster"]["kubectl"];

  beforeAll(async () => {
    site = await startInstallationSite("shop-development", "vault");
    kubectl = site.cluster.kubectl;
  });
  afterAll(() => site?.close());
  afterEach(() => site.clear());

  const read = async (kind: string, name: string, namespace = "flyte") =>
    JSON.parse(await kubectl(["get", kind, name, "-n", namespace, "-o", "json"]));

  /** As Flyte's own service writes it. */
  const keepApiKey = () => {
    const labels = {
      "app.flyte.org/managed": "true",
      "app.flyte.org/domain": "development",
      "app.flyte.org/project": "shop",
    };
    const metadata = { name: kubernetesSecretName(API_KEY), namespace: "flyte", labels };
    const stringData = { [encodeSecretId(API_KEY)]: "value" };
    return kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData }));
  };

  test("gives pods their secrets with the accounts and settings of the chart, and goes without a trace", async () => {
    await site.install();
    const installed = await site.objects();
    const secrets = await site.startService();
    await secrets(["create", "secret", "api-key", ...SCOPE, "--from-file", "-"], "value one");
    await secrets(["update", "secret", "api-key", ...SCOPE, "--from-file", "-"], "value two");
    expect(await secrets(["get", "secret", ...SCOPE])).toContain("api-key");
    await secrets(["create", "secret", "short-lived", "--from-file", "-"], "value");
    await secrets(["delete", "secret", "short-lived"]);
    const webhook = await site.startWebhook();
    await site.untilAdmitted("flyte");
    expect((await site.createPod("flyte")).env).toContainEqual(TO_MANAGED);

    expect(webhook.output()).toContain("pods and values share a namespace");

    // While there was no webhook, the service could tell none; now it knows its token.
    const untold = () => site.printed().split("cache not invalidated").length - 1;
    const before = untold();
    expect(before).toBeGreaterThan(0);
    await secrets(["update", "secret", "api-key", ...SCOPE, "--from-file", "-"], "value three");
    expect(untold()).toBe(before);

    // Elsewhere a Secret would have to be written, for which nobody has given a right.
    await expect(site.createPod("shop-development")).rejects.toThrow(
      "Nothing is written to namespace shop-development, since webhook.writtenSecrets.namespaces doesn't list it.",
    );
    expect(site.refusals()).toEqual([]);
    await kubectl(["delete", "pods", "--all", "-n", "flyte", "--force", "--grace-period=0"]);
    // What is made at run time was there before, empty.
    expect(await site.objects()).toEqual([...installed, MANAGED].toSorted());

    // A webhook that still runs sees its registration go, and can't put it back.
    await site.uninstall();
    await vi.waitUntil(() => site.refusals().length > 0, { timeout: 20_000, interval: 100 });
    expect(site.refusals()).toContain("create mutatingwebhookconfigurations undefined");
    // The API server's log may have it before the webhook's own.
    await webhook.printed("MutatingWebhookConfiguration flyte-secrets-webhook cannot be written");
    expect(await site.createPod("flyte")).toEqual({});
    await site.stop();
    expect(await site.objects()).toEqual([MANAGED]);
  });

  test("is upgraded to more namespaces, and keeps its certificate, which stays its own", async () => {
    await keepApiKey();
    await site.install();
    const first = await site.startWebhook();
    const { data } = await read("secret", CERTIFICATE);
    await first.stop();

    await site.upgrade(writingIn("flyte", "shop-development"));
    expect((await read("mutatingwebhookconfiguration", "flyte-secrets-webhook")).webhooks).toHaveLength(1);
    const listed = await site.startWebhook();
    await site.untilAdmitted("flyte");
    expect((await site.createPod("shop-development")).env).toContainEqual(TO_WRITTEN);
    await listed.stop();

    await site.upgrade(writingIn(), "patch");
    await site.startWebhook();
    await site.untilAdmitted("flyte");
    expect((await site.createPod("shop-development")).env).toContainEqual(TO_WRITTEN);
    const kept = await read("secret", CERTIFICATE);
    expect(kept.data).toEqual(data);
    expect(kept.metadata.labels).toMatchObject({
      "app.kubernetes.io/managed-by": "Helm",
      "app.flyte.org/certificate": "self-made",
    });
    expect(site.refusals()).toEqual([]);

    // Running pods need what was written for them, so it outlives the release.
    await site.uninstall();
    await site.stop();
    expect(await site.objects()).toEqual([MANAGED, expect.stringMatching(/^Secret shop-development flyte-secrets-/)]);
  });

  test("makes the service's certificate when it is new, keeps it, and leaves a service from before as it was", async () => {
    const NAME = "flyte-secrets-service-tls";
    await site.install();
    const address = new URL(await site.startServiceWithTls());
    expect(address.protocol).toBe("https:");
    const { data } = await read("secret", NAME);
    const ca = Buffer.from(data["ca.crt"], "base64");
    const servername = "flyte-secrets-service.flyte.svc";
    const socket = connect({ host: address.hostname, port: Number(address.port), ca, servername });
    await once(socket, "secureConnect");
    expect([socket.authorized, socket.getPeerCertificate().ca]).toEqual([true, false]);
    socket.destroy();
    await site.stop();
    await site.upgrade(writingIn("flyte"));
    expect((await read("secret", NAME)).data).toEqual(data);
    expect(new URL(await site.startServiceWithTls()).protocol).toBe("https:");
    expect(site.refusals()).toEqual([]);
    await site.stop();
    await site.uninstall();

    // As by an earlier chart.
    await site.install({ service: { selfMadeTls: false } });
    await site.upgrade({});
    expect(await site.objects()).not.toContain(`Secret flyte ${NAME}`);
    expect(new URL(await site.startServiceWithTls()).protocol).toBe("http:");
  });

  test("of the service alone keeps secrets in another namespace, image-pull secrets among them", async () => {
    const secret = { kubernetes: { namespace: "vault" } };
    await site.install({ webhook: { enabled: false }, "flyte-core-components": { secret } });
    const secrets = await site.startService();
    await secrets(["create", "secret", "api-key", ...SCOPE, "--from-file", "-"], "value");
    await secrets(["create", "secret", "ghcr", ...IMAGE_PULL]);
    expect(await secrets(["get", "secret"])).toContain("ghcr");
    await secrets(["delete", "secret", "ghcr"]);
    expect(site.refusals()).toEqual([]);
    await site.uninstall();
    expect(await site.objects()).toEqual([MANAGED.replace("flyte", "vault")]);
  });

  test("copies image-pull secrets from where the service keeps them", async () => {
    const embeddedSecretManagerConfig = { imagePullSecrets: { enabled: true } };
    const writtenSecrets = { namespaces: ["flyte", "shop-development"] };
    await site.install({
      "flyte-core-components": { secret: { imagePullNamespace: "vault" } },
      configuration: { inline: { webhook: { embeddedSecretManagerConfig, writtenSecrets } } },
    });
    const secrets = await site.startService();
    await secrets(["create", "secret", "api-key", ...IMAGE_PULL]);
    await site.startWebhook();
    for (const namespace of ["flyte", "shop-development"]) {
      await site.untilAdmitted(namespace);
      const { imagePullSecrets = [] } = await site.createPod(namespace);
      const types = imagePullSecrets.map(async ({ name }) => (await read("secret", name, namespace)).type);
      expect(await Promise.all(types)).toEqual(["kubernetes.io/dockerconfigjson"]);
    }
    expect(site.refusals()).toEqual([]);
    expect(await site.diagnose("webhook")).toContain("flyte-secrets-webhook has every right that the webhook needs");
  });

  test("of the webhook alone by its plain manifest, applied twice, serves what Flyte's service keeps", async () => {
    const manifest = join(MANIFESTS, "webhook.yaml");
    await kubectl(["apply", "--validate=strict", "-f", manifest]);
    await keepApiKey();
    await site.startWebhook();
    const { data } = await read("secret", CERTIFICATE);
    await kubectl(["apply", "-f", manifest]);
    await site.untilAdmitted("flyte");
    expect((await site.createPod("flyte")).env).toContainEqual(TO_MANAGED);
    expect((await read("secret", CERTIFICATE)).data).toEqual(data);
    expect(site.refusals()).toEqual([]);
    await kubectl(["delete", "-f", manifest]);
    await site.stop();
    expect(await site.objects()).toEqual([MANAGED]);
  });

  test("with cert-manager serves the certificate that cert-manager puts in the Secret", async () => {
    await kubectl(["apply", "-f", "-"], JSON.stringify(CERTIFICATES));
    await kubectl(["wait", "--for=condition=Established", "crd/certificates.cert-manager.io"]);
    await keepApiKey();
    await site.install({ webhook: { certManager: { enabled: true, issuerRef: { name: "ca" } } } });
    expect((await read("certificate", "flyte-secrets-webhook")).spec.dnsNames).toContain(
      "flyte-secrets-webhook.flyte.svc",
    );
    // As cert-manager does, which isn't here.
    const { cert, key } = await createCertificate();
    const stringData = { "tls.crt": cert, "tls.key": key, "ca.crt": cert };
    await kubectl(["patch", "secret", CERTIFICATE, "-n", "flyte", "-p", JSON.stringify({ stringData })]);
    await site.startWebhook();
    await site.untilAdmitted("flyte");
    expect((await site.createPod("flyte")).env).toContainEqual(TO_MANAGED);
    const { webhooks } = await read("mutatingwebhookconfiguration", "flyte-secrets-webhook");
    expect(Buffer.from(webhooks[0].clientConfig.caBundle, "base64").toString().trim()).toBe(cert.trim());
    expect(await site.may("flyte-secrets-webhook", `update secrets/${CERTIFICATE} -n flyte`)).toMatch(/^no/);
    expect(site.refusals()).toEqual([]);
    await site.uninstall();
    await site.stop();
    expect(await site.objects()).toEqual(["CustomResourceDefinition <none> certificates.cert-manager.io", MANAGED]);
    await kubectl(["delete", "crd", "certificates.cert-manager.io"]);
  });
});

/** cert-manager's Certificate, as far as an API server needs to know it. */
const CERTIFICATES = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "certificates.cert-manager.io" },
  spec: {
    group: "cert-manager.io",
    names: { kind: "Certificate", plural: "certificates", singular: "certificate" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
