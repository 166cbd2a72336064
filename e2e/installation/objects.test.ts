// What chart and manifests consist of, as a real API server sees it: fields, pods, rights.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { CHART, helm, requireHelm } from "./helm.ts";
import { CERTIFICATE, type InstallationSite, startInstallationSite, writingIn } from "./installation-site.ts";
import { kubeconform, requireKubeconform, writeSchemas } from "./kubeconform.ts";
import { MANIFESTS } from "./manifests.ts";

/** What stands in for the admission of OpenShift, which is not to be had alone. */
const RESTRICTED_V2 = join(import.meta.dirname, "restricted-v2.yaml");

/** Users and groups are left to the cluster. */
const podSecurityContext = { runAsUser: null, runAsGroup: null, fsGroup: null };
const FREE = { service: { podSecurityContext }, webhook: { podSecurityContext } };

const requirement = [requireHelm(), requireKubeconform()].find(({ missing }) => missing) ?? requireKubernetes();

describeWith(requirement, "what is installed", () => {
  let site: InstallationSite;
  let kubectl: InstallationSite["cluster"]["kubectl"];

  beforeAll(async () => {
    site = await startInstallationSite("shop-development", "shop-staging", "restricted", "openshift");
    kubectl = site.cluster.kubectl;
  });
  afterAll(() => site?.close());
  afterEach(() => site.clear());

  test("is made of objects that the API server knows, every field of them", async () => {
    const schemas = join(site.cluster.directory, "schemas");
    await writeSchemas(site.cluster, schemas);
    const pod = {
      image: { registry: "r.example.com", tag: "1", pullPolicy: "Always" },
      autoscaling: { enabled: true, targetMemoryUtilizationPercentage: 80 },
      podDisruptionBudget: { minAvailable: "50%" },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "10%" } },
      revisionHistoryLimit: 3,
      serviceType: "LoadBalancer",
      serviceLabels: { a: "b" },
      serviceAnnotations: { a: "b" },
      serviceIPFamilyPolicy: "SingleStack",
      serviceIPFamilies: ["IPv4"],
      serviceAccount: { name: "mine", labels: { a: "b" }, annotations: { a: "b" } },
      deploymentLabels: { a: "b" },
      deploymentAnnotations: { a: "b" },
      podAnnotations: { a: "b" },
      podLabels: { a: "b" },
      priorityClassName: "high",
      podSecurityContext: { runAsUser: null, fsGroup: null, supplementalGroups: [1] },
      containerSecurityContext: { privileged: false },
      startupProbe: { initialDelaySeconds: 1 },
      livenessProbe: { failureThreshold: 5 },
      readinessProbe: { successThreshold: 2 },
      terminationGracePeriodSeconds: 60,
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "rack", whenUnsatisfiable: "DoNotSchedule" }],
      nodeSelector: { a: "b" },
      tolerations: [{ key: "a", operator: "Exists" }],
      affinity: { nodeAffinity: {} },
      runtimeClassName: "gvisor",
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["10.0.0.10"] },
      hostAliases: [{ ip: "10.0.0.1", hostnames: ["vault"] }],
      extraArgs: ["--workers", "2"],
      extraEnv: [{ name: "A", value: "b" }],
      envFrom: [{ secretRef: { name: "more" } }],
      extraVolumes: [{ name: "more", emptyDir: {} }],
      extraVolumeMounts: [{ name: "more", mountPath: "/more" }],
      initContainers: [{ name: "first", image: "a" }],
      extraContainers: [{ name: "beside", image: "a" }],
    };
    const egress = [{ ports: [{ port: 443, protocol: "TCP" }] }];
    const host = "flyte.example.com";
    const annotated = { labels: { a: "b" }, annotations: { a: "b" } };
    const ingress = { enabled: true, className: "nginx", host, tlsSecret: "tls", ...annotated };
    const everything = {
      ...writingIn(),
      commonLabels: { team: "platform" },
      commonAnnotations: { team: "platform" },
      imagePullSecrets: [{ name: "registry" }, "another"],
      service: { ...pod, tlsSecret: "tls", ingress, networkPolicy: { from: [{ namespaceSelector: {} }], egress } },
      webhook: {
        ...pod,
        serviceAccount: { ...pod.serviceAccount, name: "its" },
        tlsSecret: "certificate",
        networkPolicy: { admissionFrom: [{ ipBlock: { cidr: "10.0.0.1/32" } }], egress },
      },
      grafanaDashboard: { enabled: true },
      extraObjects: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } }],
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

  /**
   * Of both Deployments, what a controller would create in that namespace, with other fields in the security context.
   */
  const podsFor = async (namespace: string, values: object, security: object = {}) => {
    const text = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte"], { values });
    const deployments = parseAllDocuments(text)
      .map((document) => document.toJS())
      .filter(({ kind }) => kind === "Deployment");
    return deployments.map(({ metadata: { name }, spec: { template } }) => {
      const { priorityClassName: _, serviceAccountName: __, ...spec } = template.spec;
      const securityContext = { ...spec.securityContext, ...security };
      const metadata = { ...template.metadata, name, namespace };
      return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, securityContext } });
    });
  };
  const create = (pod: string) => kubectl(["create", "--dry-run=server", "-f", "-"], pod);

  test("has pods that the restricted Pod Security Standard admits", async () => {
    await kubectl(["label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"]);
    for (const values of [{}, FREE, { webhook: { tlsSecret: "ours", extraArgs: ["--workers", "2"] } }]) {
      for (const pod of await podsFor("restricted", values)) await create(pod);
    }
    for (const pod of await podsFor("restricted", {}, { runAsNonRoot: false })) {
      await expect(create(pod)).rejects.toThrow('violates PodSecurity "restricted:latest"');
    }
  });

  test("has pods that OpenShift's restricted-v2 admits, once users and groups are left to the namespace", async () => {
    await kubectl(["apply", "-f", "-"], readFileSync(RESTRICTED_V2, "utf8"));
    const [pod = ""] = await podsFor("openshift", {});
    // The API server takes up a policy a moment after it is there.
    await vi.waitFor(() => expect(create(pod)).rejects.toThrow("restricted-v2: runAsUser"), 20_000);
    for (const each of await podsFor("openshift", {})) await expect(create(each)).rejects.toThrow("restricted-v2");
    for (const values of [FREE, { ...FREE, ...writingIn("a", "b") }]) {
      for (const each of await podsFor("openshift", values)) await create(each);
    }
    for (const refused of [{ runAsUser: 65532 }, { fsGroup: 1 }, { seccompProfile: { type: "Unconfined" } }]) {
      for (const each of await podsFor("openshift", FREE, refused)) {
        await expect(create(each)).rejects.toThrow("restricted-v2");
      }
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
