// The values that charts of this field have in common (docs/chart-values.md), and what the chart makes of them, without
// a cluster.
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { describeWith } from "../support/requirement.ts";
import { chartConfig } from "./chart-config.ts";
import { CHART, helm, requireHelm } from "./helm.ts";

/** Any object of Kubernetes, as far as tests look at it. */
interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Spec;
  readonly subjects?: readonly { readonly name: string }[];
}

/** The specs of several kinds in one. */
interface Spec {
  readonly replicas?: number;
  readonly strategy?: object;
  readonly revisionHistoryLimit?: number;
  readonly minAvailable?: number | string;
  readonly maxUnavailable?: number | string;
  readonly egress?: readonly object[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template?: { readonly metadata: object; readonly spec: PodSpec };
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly imagePullSecrets?: readonly object[];
  readonly securityContext?: object;
  readonly topologySpreadConstraints?: readonly object[];
  readonly volumes?: readonly object[];
  readonly containers: readonly [Container, ...Container[]];
}

interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly envFrom?: readonly object[];
  readonly volumeMounts?: readonly object[];
  readonly securityContext?: object;
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
}

const COMPONENTS = ["service", "webhook"] as const;

describeWith(requireHelm(), "the chart's values", () => {
  const render = async (values: object = {}): Promise<Manifest[]> => {
    const text = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte"], { values });
    return parseAllDocuments(text).map((document) => document.toJS());
  };
  const both = (values: object) => Object.fromEntries(COMPONENTS.map((component) => [component, values]));
  const find = (manifests: readonly Manifest[], kind: string, component: string) =>
    manifests.find((each) => each.kind === kind && each.metadata.name === `flyte-secrets-${component}`);
  const deploymentsOf = async (values: object = {}) => {
    const manifests = await render(values);
    return COMPONENTS.map((component) => deploymentOf(manifests, component));
  };
  const deploymentOf = (manifests: readonly Manifest[], component: string) => {
    const { template, ...spec } = find(manifests, "Deployment", component)?.spec ?? {};
    if (template === undefined) throw new Error(`there is no Deployment of ${component}`);
    return { ...spec, template };
  };
  const podsOf = async (values: object = {}) => (await deploymentsOf(values)).map(({ template }) => template.spec);

  test("put labels and annotations on every object, pods among them", async () => {
    const values = {
      commonLabels: { team: "platform" },
      commonAnnotations: { owner: "us" },
      serviceMonitor: { enabled: true },
      podMonitor: { enabled: true },
      prometheusRule: { enabled: true },
      grafanaDashboard: { enabled: true },
      ...both({ autoscaling: { enabled: true } }),
      service: { autoscaling: { enabled: true }, selfMadeTls: true, ingress: { enabled: true, host: "a.example.com" } },
      webhook: { autoscaling: { enabled: true }, certManager: { enabled: true, issuerRef: { name: "ca" } } },
    };
    const manifests = await render(values);
    for (const { metadata } of manifests) {
      expect(metadata).toMatchObject({ labels: { team: "platform" }, annotations: { owner: "us" } });
    }
    for (const { template } of await deploymentsOf(values)) {
      expect(template.metadata).toMatchObject({ labels: { team: "platform" }, annotations: { owner: "us" } });
    }
  });

  test("put labels and annotations on Deployments, Services, accounts, pods and the Ingress alone", async () => {
    const manifests = await render({
      commonLabels: { team: "platform" },
      ...both({
        deploymentLabels: { a: "1" },
        deploymentAnnotations: { b: "2" },
        serviceLabels: { c: "3" },
        serviceAnnotations: { d: "4" },
        serviceAccount: { labels: { e: "5" }, annotations: { f: "6" } },
        podLabels: { g: "7", team: "ours" },
        podAnnotations: { h: "8" },
      }),
    });
    for (const component of COMPONENTS) {
      const of = (kind: string) => find(manifests, kind, component)?.metadata;
      expect(of("Deployment")).toMatchObject({ labels: { a: "1", team: "platform" }, annotations: { b: "2" } });
      expect(of("Service")).toMatchObject({ labels: { c: "3" }, annotations: { d: "4" } });
      expect(of("ServiceAccount")).toMatchObject({ labels: { e: "5" }, annotations: { f: "6" } });
      expect(of("ConfigMap")?.annotations).toBeUndefined();
      expect(deploymentOf(manifests, component).template.metadata).toMatchObject({
        labels: { g: "7", team: "ours" },
        annotations: { h: "8" },
      });
    }
  });

  test.each([
    [
      { webhook: { podLabels: { "app.kubernetes.io/name": "x" } } },
      "webhook.podLabels: the chart sets app.kubernetes.io/name itself",
    ],
    [{ service: { podLabels: { "app.kubernetes.io/component": "x" } } }, "service.podLabels: the chart sets"],
    [
      { commonLabels: { "app.kubernetes.io/instance": "x" } },
      "commonLabels: the chart sets app.kubernetes.io/instance",
    ],
    [{ commonLabels: { "app.kubernetes.io/version": "x" } }, "commonLabels: the chart sets app.kubernetes.io/version"],
    [
      { webhook: { podAnnotations: { "checksum/config": "x" } } },
      "webhook.podAnnotations: the chart sets checksum/config",
    ],
    [
      { webhook: { extraEnv: [{ name: "POD_NAMESPACE", value: "x" }] } },
      "webhook.extraEnv: the chart sets POD_NAMESPACE",
    ],
    [{ service: { extraEnv: [{ name: "A" }, { name: "A" }] } }, "service.extraEnv: A is there twice: leave one out"],
    [{ service: { extraVolumes: [{ name: "token", emptyDir: {} }] } }, "service.extraVolumes: the chart sets token"],
    [{ webhook: { extraVolumes: [{ name: "config", emptyDir: {} }] } }, "webhook.extraVolumes: the chart sets config"],
    [
      { webhook: { extraVolumeMounts: [{ name: "a", mountPath: "/etc/flyte/config.d" }] } },
      "webhook.extraVolumeMounts: the chart sets /etc/flyte/config.d",
    ],
    [
      { webhook: { initContainers: [{ name: "a" }], extraContainers: [{ name: "a" }] } },
      "webhook.initContainers and extraContainers: a is there twice",
    ],
    [{ webhook: { extraContainers: [{ name: "webhook" }] } }, "extraContainers: the chart sets webhook itself"],
    [
      { webhook: { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } } },
      "webhook.podDisruptionBudget has minAvailable and maxUnavailable",
    ],
    [{ service: { serviceAccount: { create: false } } }, "service.serviceAccount.name: which account runs the pods?"],
    [
      { webhook: { tlsSecret: "a", certManager: { enabled: true, issuerRef: { name: "b" } } } },
      "webhook.tlsSecret and webhook.certManager.enabled both bring a certificate",
    ],
  ])("refuse what the API server would not take: %j", async (values, message) => {
    await expect(render(values)).rejects.toThrow(message);
  });

  test("say how many pods there are and how many may be away", async () => {
    const of = async (values: object) => {
      const manifests = await render(both(values));
      const disruption = find(manifests, "PodDisruptionBudget", "webhook")?.spec;
      return [disruption?.minAvailable, disruption?.maxUnavailable];
    };
    expect(await of({})).toEqual([undefined, 1]);
    expect(await of({ replicas: 1 })).toEqual([undefined, undefined]);
    expect(await of({ replicas: 1, podDisruptionBudget: { minAvailable: 1 } })).toEqual([1, undefined]);
    expect(await of({ podDisruptionBudget: { maxUnavailable: "50%" } })).toEqual([undefined, "50%"]);
    expect(await of({ podDisruptionBudget: { maxUnavailable: 0 } })).toEqual([undefined, 0]);
    expect(await of({ podDisruptionBudget: { enabled: false } })).toEqual([undefined, undefined]);

    const autoscaling = { enabled: true, maxReplicas: 9, behavior: { scaleDown: { selectPolicy: "Disabled" } } };
    const manifests = await render(both({ autoscaling }));
    expect(find(manifests, "Deployment", "service")?.spec?.replicas).toBeUndefined();
    expect(find(manifests, "HorizontalPodAutoscaler", "service")?.spec).toEqual({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "flyte-secrets-service" },
      minReplicas: 2,
      maxReplicas: 9,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
      ],
      behavior: autoscaling.behavior,
    });
  });

  test("say how Deployments are replaced", async () => {
    const [defaults] = await deploymentsOf();
    expect(defaults?.strategy).toEqual({ rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(defaults).not.toHaveProperty("revisionHistoryLimit");
    const values = { strategy: { type: "Recreate" }, revisionHistoryLimit: 0, terminationGracePeriodSeconds: 60 };
    for (const { strategy, revisionHistoryLimit, template } of await deploymentsOf(both(values))) {
      expect([strategy, revisionHistoryLimit]).toEqual([{ type: "Recreate" }, 0]);
      expect(template.spec.terminationGracePeriodSeconds).toBe(60);
    }
  });

  test("say where pods run and with what around them", async () => {
    const spread = { topologyKey: "rack", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" };
    const own = { ...spread, labelSelector: { matchLabels: { a: "b" } } };
    const values = {
      topologySpreadConstraints: [spread, own],
      runtimeClassName: "gvisor",
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["10.0.0.10"] },
      hostAliases: [{ ip: "10.0.0.1", hostnames: ["vault"] }],
      initContainers: [{ name: "first", image: "a" }],
    };
    const container = {
      extraArgs: ["--workers", "2"],
      envFrom: [{ secretRef: { name: "more" } }],
      livenessProbe: { timeoutSeconds: 9 },
      startupProbe: { enabled: false },
    };
    const extraContainers = [{ name: "beside", image: "b" }];
    const pods = await podsOf(both({ ...values, ...container, extraContainers }));
    for (const { containers, topologySpreadConstraints, ...pod } of pods) {
      const { topologySpreadConstraints: _, ...rest } = values;
      expect(pod).toMatchObject(rest);
      expect(topologySpreadConstraints).toMatchObject([
        { ...spread, labelSelector: { matchLabels: { "app.kubernetes.io/name": "flyte-secrets" } } },
        own,
      ]);
      expect(topologySpreadConstraints?.[1]).toEqual(own);
      const [ours, beside] = containers;
      expect(beside).toEqual(extraContainers[0]);
      expect(ours.args?.slice(-2)).toEqual(["--workers", "2"]);
      expect(ours.envFrom).toEqual(container.envFrom);
      expect(ours.livenessProbe).toMatchObject({ httpGet: { path: "/healthz" }, timeoutSeconds: 9 });
      expect(ours.readinessProbe).toMatchObject({ httpGet: { path: "/readyz" }, timeoutSeconds: 3 });
      expect(ours).not.toHaveProperty("startupProbe");
    }
    for (const pod of await podsOf(both({ topologySpreadConstraints: [] }))) {
      expect(pod).not.toHaveProperty("topologySpreadConstraints");
    }
  });

  test("leave users, groups and what else is null to the cluster, as OpenShift wants it", async () => {
    const free = { runAsUser: null, runAsGroup: null, fsGroup: null };
    for (const pod of await podsOf(both({ podSecurityContext: free }))) {
      expect(pod.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(pod.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
  });

  test("are what they are by default where a map or list is null", async () => {
    const names = [
      ...[
        "deploymentLabels",
        "deploymentAnnotations",
        "serviceLabels",
        "serviceAnnotations",
        "podAnnotations",
        "podLabels",
      ],
      ...["nodeSelector", "tolerations", "affinity", "dnsConfig", "hostAliases", "serviceIPFamilies", "strategy"],
      ...["extraArgs", "extraEnv", "envFrom", "extraVolumes", "extraVolumeMounts", "initContainers", "extraContainers"],
    ];
    const component = Object.fromEntries(names.map((name) => [name, null]));
    const nothing = { commonLabels: null, commonAnnotations: null, imagePullSecrets: null, extraObjects: null };
    expect(await render({ ...nothing, ...both(component) })).toEqual(await render());
  });

  test("name an image for both, for one, and from another registry", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const images = async (values: object) => (await podsOf(values)).map(({ containers }) => containers[0].image);
    expect(await images({ image: { registry: "r.example.com", tag: "1", digest } })).toEqual([
      `r.example.com/flyte-secrets:1@${digest}`,
      `r.example.com/flyte-secrets:1@${digest}`,
    ]);
    expect(await images({ image: { digest }, webhook: { image: { registry: "w.example.com", tag: "2" } } })).toEqual([
      `flyte-secrets:0.1.0@${digest}`,
      "w.example.com/flyte-secrets:2",
    ]);
    const global = { imageRegistry: "mirror.example.com/" };
    expect(await images({ global, image: { registry: "r.example.com" } })).toEqual([
      "mirror.example.com/flyte-secrets:0.1.0",
      "mirror.example.com/flyte-secrets:0.1.0",
    ]);
    const { webhook } = chartConfig(await render({ global }), "webhook");
    expect(webhook.embeddedSecretManagerConfig.fileMountInitContainer.image).toBe(
      "mirror.example.com/docker/library/busybox:latest",
    );
  });

  test("take image-pull secrets as texts and as Kubernetes has them", async () => {
    const values = { global: { imagePullSecrets: ["a", { name: "b" }] }, imagePullSecrets: ["b", { name: "c" }] };
    for (const { imagePullSecrets } of await podsOf(values)) {
      expect(imagePullSecrets).toEqual([{ name: "a" }, { name: "b" }, { name: "c" }]);
    }
  });

  test("run pods as accounts of yours, which the guard then keeps for them", async () => {
    const manifests = await render({
      rbac: { create: false },
      service: { serviceAccount: { create: false, name: "mine" } },
      webhook: { serviceAccount: { name: "its" } },
    });
    const accounts = manifests.filter(({ kind }) => kind === "ServiceAccount").map(({ metadata }) => metadata.name);
    expect(accounts).toEqual(["its"]);
    expect(COMPONENTS.map((each) => deploymentOf(manifests, each).template.spec.serviceAccountName)).toEqual([
      "mine",
      "its",
    ]);
    expect(manifests.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
    const guard = JSON.stringify(manifests.filter(({ kind }) => kind === "ValidatingAdmissionPolicy"));
    expect(guard).toContain("system:serviceaccount:flyte:mine");
    expect(guard).toContain("system:serviceaccount:flyte:its");
    expect(guard).toContain(String.raw`serviceAccountName.orValue('') in [\"mine\",\"its\"]`);
    const bound = (await render({ webhook: { serviceAccount: { name: "its" } } })).filter(
      ({ kind, metadata }) => kind === "RoleBinding" && metadata.name.startsWith("flyte-secrets-webhook"),
    );
    expect(bound.map(({ subjects }) => subjects?.[0]?.name)).toEqual(bound.map(() => "its"));
  });

  test("keep every Secret that the pods are given from other pods, in whatever place it is named", async () => {
    const env = [{ name: "A", valueFrom: { secretKeyRef: { name: "one", key: "a" } } }];
    const manifests = await render({
      service: { envFrom: [{ secretRef: { name: "two" } }] },
      webhook: {
        tlsSecret: "three",
        initContainers: [{ name: "first", env, envFrom: [{ secretRef: { name: "four" } }] }],
      },
    });
    const own = manifests
      .find(({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name.endsWith("-pods"))
      ?.spec?.variables?.find(({ name }) => name === "own")?.expression;
    expect(JSON.parse(own ?? "")).toEqual(expect.arrayContaining(["one", "two", "three", "four"]));
  });

  test("name objects, and put them elsewhere", async () => {
    const manifests = await render({ nameOverride: "vault", namespaceOverride: "elsewhere" });
    const { metadata, spec } = manifests.find(({ kind }) => kind === "Deployment") ?? {};
    expect(metadata).toMatchObject({
      name: "flyte-secrets-vault-service",
      namespace: "elsewhere",
      labels: { "app.kubernetes.io/name": "vault" },
    });
    expect(spec?.selector?.matchLabels["app.kubernetes.io/name"]).toBe("vault");
    expect(manifests.filter((each) => each.metadata.namespace === "flyte")).toEqual([]);
    expect(JSON.stringify(manifests)).not.toMatch(/serviceaccount:flyte:|\.flyte\.svc/);
  });

  test("say what kind of Service there is, and where pods may connect to", async () => {
    const egress = [{ ports: [{ port: 443 }] }];
    const values = {
      serviceType: "NodePort",
      serviceIPFamilyPolicy: "PreferDualStack",
      serviceIPFamilies: ["IPv6", "IPv4"],
      networkPolicy: { egress },
    };
    const manifests = await render(both(values));
    for (const component of COMPONENTS) {
      expect(find(manifests, "Service", component)?.spec).toMatchObject({
        type: "NodePort",
        ipFamilyPolicy: "PreferDualStack",
        ipFamilies: ["IPv6", "IPv4"],
      });
      expect(find(manifests, "NetworkPolicy", component)?.spec).toMatchObject({
        policyTypes: ["Ingress", "Egress"],
        egress,
      });
    }
    expect(find(manifests, "Service", "webhook-headless")?.spec).toMatchObject({ clusterIP: "None" });
    expect(find(manifests, "Service", "webhook-headless")?.spec).not.toHaveProperty("type");
    const closed = await render(both({ networkPolicy: { egress: [] } }));
    expect(find(closed, "NetworkPolicy", "webhook")?.spec?.egress).toEqual([]);
  });

  test("serve the webhook with a certificate of yours, without a right to any Secret of its own", async () => {
    const manifests = await render({ webhook: { tlsSecret: "ours" } });
    const pod = deploymentOf(manifests, "webhook").template.spec;
    expect(pod.volumes).toContainEqual({ name: "certificate", secret: { secretName: "ours", defaultMode: 0o440 } });
    expect(pod.containers[0].volumeMounts).toContainEqual({
      name: "certificate",
      mountPath: "/etc/webhook/certs",
      readOnly: true,
    });
    const secrets = manifests.filter(({ kind }) => kind === "Secret").map(({ metadata }) => metadata.name);
    expect(secrets).not.toContain("flyte-secrets-webhook-secret");
    expect(JSON.stringify(manifests.filter(({ kind }) => kind === "Role"))).not.toContain(
      '"flyte-secrets-webhook-secret"',
    );
  });

  test("say how long cert-manager's certificate lasts", async () => {
    const certManager = { enabled: true, issuerRef: { name: "ca" }, duration: "2160h", renewBefore: "360h" };
    const certificate = (await render({ webhook: { certManager } })).find(({ kind }) => kind === "Certificate");
    expect(certificate?.spec).toMatchObject({ duration: "2160h", renewBefore: "360h" });
  });

  test("add objects, with templates in texts", async () => {
    const manifests = await render({
      extraObjects: [
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } },
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: '{{ .Release.Name }}-two' }",
      ],
    });
    const names = manifests.filter(({ kind }) => kind === "ConfigMap").map(({ metadata }) => metadata.name);
    expect(names).toEqual(expect.arrayContaining(["one", "flyte-secrets-two"]));
  });
});
