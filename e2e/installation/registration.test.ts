// What the chart's values say of the webhook's registration and certificate, as a real API server has it and goes by
// it.
import { createCertificate } from "@flyte-secrets/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { requireHelm } from "./helm.ts";
import { type InstallationSite, startInstallationSite } from "./installation-site.ts";

const helm = requireHelm();

describeWith(helm.missing ? helm : requireKubernetes(), "the registration of an installation", () => {
  let site: InstallationSite;
  let kubectl: InstallationSite["cluster"]["kubectl"];

  beforeAll(async () => {
    site = await startInstallationSite();
    kubectl = site.cluster.kubectl;
  });
  afterAll(() => site?.close());
  afterEach(() => site.clear());

  const registered = async () => {
    const found = await kubectl(["get", "mutatingwebhookconfiguration", "flyte-secrets-webhook", "-o", "json"]);
    return JSON.parse(found).webhooks[0];
  };

  test("has the policy, selectors and conditions of the values, and others' beside them", async () => {
    const webhook = {
      failurePolicy: "Ignore",
      namespaceSelector: { matchExpressions: [{ key: "quarantine", operator: "DoesNotExist" }] },
      objectSelector: { matchExpressions: [{ key: "quarantine", operator: "DoesNotExist" }] },
      matchConditions: [{ name: "not-of-ci", expression: "request.userInfo.username != 'ci'" }],
    };
    // Under another name of the chart, by which nothing that looks at the installation may go.
    const names = { nameOverride: "vault", fullnameOverride: "flyte-secrets" };
    await site.install({ ...names, configuration: { inline: { webhook } } });
    const component = await site.startWebhook();
    expect(await registered()).toMatchObject({
      ...webhook,
      objectSelector: { ...webhook.objectSelector, matchLabels: { "inject-flyte-secrets": "true" } },
    });
    const diagnosis = await site.diagnose("webhook");
    expect(diagnosis).toContain("the API server asks the webhook about pods");
    expect(diagnosis).toContain("the guard is there");

    // While nobody answers, a pod is created all the same.
    await component.stop();
    expect((await site.createPod("flyte")).env).toBeUndefined();
    expect(await site.diagnose("webhook")).toContain("gets no answer and does without (failurePolicy Ignore)");
  });

  test("carries the CA of a certificate of yours, which the webhook reads from a volume alone", async () => {
    const { cert, key } = await createCertificate();
    const data = { "tls.crt": btoa(cert), "tls.key": btoa(key) };
    const secret = { apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata: { name: "ours" }, data };
    await kubectl(["create", "-n", "flyte", "-f", "-"], JSON.stringify(secret));
    await site.install({ webhook: { tlsSecret: "ours" } });
    await site.startWebhook();
    expect(atob((await registered()).clientConfig.caBundle).trim()).toBe(cert.trim());
    expect(await site.may("flyte-secrets-webhook", "update secrets/ours -n flyte")).toMatch(/^no/);
    expect(site.refusals()).toEqual([]);
  });
});
