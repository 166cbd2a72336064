// What chart and manifests consist of, as a real API server sees it: fields, pods, rights.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { CHART, helm, requireHelm } from "./helm.ts";
import { CERTIFICATE, type InstallationSite, startInstallationSite, writingIn } from "./installation-site.ts";
import { kubeconform, requireKubeconform, writeSchemas } from "./kubeconform.ts";
import { MANIFESTS } from "./manifests.ts";

const requirement = [requireHelm(), requireKubeconform()].find(({ missing }) => missing) ?? requireKubernetes();

describeWith(requirement, "what is installed", () => {
  let site: InstallationSite;
  let kubectl: InstallationSite["cluster"]["kubectl"];

  beforeAll(async () => {
    site = await startInstallationSite("shop-development", "shop-staging", "restricted");
    kubectl = site.cluster.kubectl;
  });
  afterAll(() => site?.close());
  afterEach(() => site.clear());

  test("is made of objects that the API server knows, every field of them", async () => {
    const schemas = join(site.cluster.directory, "schemas");
    await writeSchemas(site.cluster, schemas);
    const pod = {
      serviceAccountAnnotations: { a: "b" },
      podAnnotations: { a: "b" },
      podLabels: { a: "b" },
      priorityClassName: "high",
      nodeSelector: { a: "b" },
      tolerations: [{ key: "a", operator: "Exists" }],
      affinity: { nodeAffinity: {} },
      extraEnv: [{ name: "A", value: "b" }],
      extraVolumes: [{ name: "more", emptyDir: {} }],
      extraVolumeMounts: [{ name: "more", mountPath: "/more" }],
    };
    const host = "flyte.example.com";
    const ingress = { enabled: true, className: "nginx", host, tlsSecret: "tls", annotations: { a: "b" } };
    const everything = {
      ...writingIn(),
      imagePullSecrets: [{ name: "registry" }],
      service: { ...pod, tlsSecret: "tls", ingress, networkPolicy: { from: [{ namespaceSelector: {} }] } },
      webhook: { ...pod, networkPolicy: { admissionFrom: [{ ipBlock: { cidr: "10.0.0.1/32" } }] } },
    };
    for (const values of [{}, everything]) {
      const text = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte"], { values });
      expect(await kubeconform(text, schemas)).toMatchObject({ exitCode: 0, stderr: "" });
      await kubectl(["apply", "--dry-run=server", "--validate=strict", "-f", "-"], text);
      // Both find what is wrong.
      const wrong = text.replace("enableServiceLinks: false", "enableServicesLinks: false");
      expect(await kubeconform(wrong, schemas)).toMatchObject({ exitCode: 1 });
    }
  });

  test("is in the plain manifests with fields that the API server knows", async () => {
    for (const file of ["service.yaml", "webhook.yaml"]) {
      const text = readFileSync(join(MANIFESTS, file), "utf8");
      await kubectl(["apply", "--dry-run=server", "--validate=strict", "-f", "-"], text);
    }
  });

  test("has pods that the restricted Pod Security Standard admits", async () => {
    await site.install();
    await kubectl(["label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"]);
    for (const name of ["flyte-secrets-service", "flyte-secrets-webhook"]) {
      const { metadata, spec } = JSON.parse(await kubectl(["get", "deployment", name, "-n", "flyte", "-o", "json"]))
        .spec.template;
      const create = (security: object) => {
        const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name, namespace: "restricted" } };
        const securityContext = { ...spec.securityContext, ...security };
        const text = JSON.stringify({ ...pod, spec: { ...spec, securityContext } });
        return kubectl(["create", "--dry-run=server", "-f", "-"], text);
      };
      await create({});
      await expect(create({ runAsNonRoot: false })).rejects.toThrow('violates PodSecurity "restricted:latest"');
    }
  });

  test("lets each account do what it needs where it needs it, and nothing else", async () => {
    await site.install(writingIn("flyte", "shop-development"));
    const questions = [
      "get secrets -n flyte",
      "create secrets -n flyte",
      "update secrets -n flyte",
      `update secrets/${CERTIFICATE} -n flyte`,
      "delete secrets -n flyte",
      "create secrets -n shop-development",
      "list secrets -n shop-staging",
      "get secrets -n kube-system",
      "list secrets -A",
      "create namespaces",
      "create pods -n flyte",
      "create mutatingwebhookconfigurations",
      "update mutatingwebhookconfigurations/flyte-secrets-webhook",
      "update mutatingwebhookconfigurations/another",
    ];
    const granted = async (account: string) => {
      const answers = await Promise.all(questions.map((question) => site.may(account, question)));
      return answers.filter((answer) => answer.startsWith("yes"));
    };
    expect(await granted("flyte-secrets-service")).toEqual([
      "yes: get secrets -n flyte",
      "yes: create secrets -n flyte",
      "yes: update secrets -n flyte",
      `yes: update secrets/${CERTIFICATE} -n flyte`,
      "yes: delete secrets -n flyte",
    ]);
    expect(await granted("flyte-secrets-webhook")).toEqual([
      "yes: get secrets -n flyte",
      `yes: update secrets/${CERTIFICATE} -n flyte`,
      "yes: create secrets -n shop-development",
      "yes: update mutatingwebhookconfigurations/flyte-secrets-webhook",
    ]);
    for (const component of ["service", "webhook"] as const) {
      expect(await site.diagnose(component)).toContain(
        `flyte-secrets-${component} has every right that the ${component} needs`,
      );
    }
  });
});
