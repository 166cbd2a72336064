// Pods that name secrets by themselves where values and pods share a namespace, and accounts of the installation that
// were taken over: the chart's guard on a real API server. Letters are those of the attack report.
import { encodeSecretId, imagePullSecretName, kubernetesSecretName, type SecretId } from "@flyte-secrets/core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { requireHelm } from "../installation/helm.ts";
import {
  CERTIFICATE,
  type InstallationSite,
  startInstallationSite,
  writingIn,
} from "../installation/installation-site.ts";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";

const id = (project: string, domain: string, name: string): SecretId => ({ org: "flyte", project, domain, name });
const OWN = id("shop", "development", "api-key");
const FOREIGN = id("payments", "production", "stripe");

const keyRef = (name: string, key: string) => ({ env: [{ name: "KEY", valueFrom: { secretKeyRef: { name, key } } }] });
const managed = (of: SecretId) => keyRef(kubernetesSecretName(of), encodeSecretId(of));
const file = (of: SecretId) => ({
  secretName: kubernetesSecretName(of),
  items: [{ key: encodeSecretId(of), path: "value" }],
});
const projected = (of: SecretId) => {
  const { secretName: name, items } = file(of);
  return { projected: { sources: [{ configMap: { name: "own" } }, { secret: { name, items } }] } };
};

const helm = requireHelm();

describeWith(helm.missing ? helm : requireKubernetes(), "a namespace that pods share with values", () => {
  let site: InstallationSite;
  let kubectl: InstallationSite["cluster"]["kubectl"];

  /** What the API server says of an object: `created`, or the reason why not. Nothing is kept. */
  async function attempt(verb: "create" | "replace", object: object, as: readonly string[] = ["--as=tenant"]) {
    try {
      await kubectl([verb, "--dry-run=server", "-f", "-", ...as], JSON.stringify(object));
      return "created";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  const LABELS = { organization: "flyte", project: "shop", domain: "development" };

  /** A pod of project shop, domain development, of which a task author may write every line. */
  const podWith = (spec: object, metadata: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "train", namespace: "flyte", labels: LABELS, ...metadata },
    spec: { containers: [{ name: "main", image: "train" }], ...spec },
  });
  const container = (fields: object) => ({ containers: [{ name: "main", image: "train", ...fields }] });
  const init = (fields: object) => ({ initContainers: [{ name: "first", image: "train", ...fields }] });
  const volume = (fields: object) => ({ volumes: [{ name: "stolen", ...fields }] });

  beforeAll(async () => {
    site = await startInstallationSite();
    kubectl = site.cluster.kubectl;
    const may = ["create", "role", "tenant", "-n", "flyte", "--verb=*", "--resource=pods,replicasets.apps"];
    await kubectl([...may, "--resource=pods/ephemeralcontainers"]);
    await kubectl(["create", "rolebinding", "tenant", "-n", "flyte", "--role=tenant", "--user=tenant"]);
    await site.install(writingIn());
    const refusal = () => attempt("create", podWith(container(managed(FOREIGN))));
    // The API server hears of a policy a moment after it is there.
    await vi.waitUntil(async () => (await refusal()).includes("guard"), { timeout: 30_000, interval: 200 });
  });
  afterAll(() => site?.close());

  const OWN_SECRETS = ["flyte-secrets-token", CERTIFICATE, `${CERTIFICATE}-naming`, `${CERTIFICATE}-invalidation`];
  const everyWay = (name: string, key: string): [string, object][] => [
    ["a variable", container(keyRef(name, key))],
    ["a variable of an init container", init(keyRef(name, key))],
    ["all of its keys as variables", container({ envFrom: [{ secretRef: { name } }] })],
    ["all of its keys as variables of an init container", init({ envFrom: [{ prefix: "X_", secretRef: { name } }] })],
    ["a volume", volume({ secret: { secretName: name } })],
    ["a file", volume({ secret: { secretName: name, items: [{ key, path: "value" }] } })],
    ["an optional file", volume({ secret: { secretName: name, optional: true, items: [{ key, path: "value" }] } })],
    ["a projected volume", volume({ projected: { sources: [{ secret: { name } }] } })],
    ["a projected file", volume({ projected: { sources: [{ secret: { name, items: [{ key, path: "value" }] } }] } })],
    ["an image-pull secret", { imagePullSecrets: [{ name: "registry" }, { name }] }],
    ["a driver's secret", volume({ csi: { driver: "smb.csi.k8s.io", nodePublishSecretRef: { name } } })],
    ["a flexible driver's secret", volume({ flexVolume: { driver: "example.com/lvm", secretRef: { name } } })],
    ["a disk's secret", volume({ cinder: { volumeID: "disk", secretRef: { name } } })],
    ["a share's secret", volume({ azureFile: { secretName: name, shareName: "share" } })],
  ];

  /** What becomes of pods of these specs: `created`, `refused` by the guard, or what else is wrong with them. */
  async function judge(cases: readonly (readonly [string, object])[]): Promise<Record<string, string>> {
    const said = async ([what, spec]: readonly [string, object]) => {
      const answer = await attempt("create", podWith(spec));
      return [what, /guard of the\s+flyte-secrets\s+chart/.test(answer) ? "refused" : answer];
    };
    return Object.fromEntries(await Promise.all(cases.map(said)));
  }
  const all = (cases: readonly (readonly [string, object])[], answer: string) =>
    Object.fromEntries(cases.map(([what]) => [what, answer]));

  test("H4: a pod gets another project's secret in no way", async () => {
    const ways = everyWay(kubernetesSecretName(FOREIGN), encodeSecretId(FOREIGN));
    expect(await judge(ways)).toEqual(all(ways, "refused"));
  });

  test.each(OWN_SECRETS)("H4: a pod gets %s of the installation in no way", async (name) => {
    const ways = everyWay(name, "token");
    expect(await judge(ways)).toEqual(all(ways, "refused"));
  });

  test("H4: a pod gets no secret that is like one of its own", async () => {
    const { items } = file(OWN);
    const ways: [string, object][] = [
      ["an image-pull secret's value", container(keyRef(imagePullSecretName(FOREIGN), ".dockerconfigjson"))],
      ["its own secret with all else in it", volume({ secret: { secretName: kubernetesSecretName(OWN) } })],
      [
        "a foreign key after one of its own",
        volume({ secret: { ...file(OWN), items: [...items, ...file(FOREIGN).items] } }),
      ],
      ["a foreign secret after one of its own", container({ env: [...managed(OWN).env, ...managed(FOREIGN).env] })],
      ["another domain's", container(managed(id("shop", "production", "api-key")))],
      ["a project's that begins alike", container(managed(id("shop2", "development", "api-key")))],
      ["another domain's of no project", container(managed(id("", "production", "api-key")))],
      ["another organization's", container(managed({ ...OWN, org: "acme" }))],
      ["the service's account", { serviceAccountName: "flyte-secrets-service" }],
      ["the webhook's account", { serviceAccountName: "flyte-secrets-webhook" }],
      ["the webhook's account by the old field", { serviceAccount: "flyte-secrets-webhook" }],
    ];
    expect(await judge(ways)).toEqual(all(ways, "refused"));
  });

  test("H4: doctor says that pods and values share a namespace, that the guard is there, and what is open", async () => {
    const said = await site.diagnose("webhook");
    expect(said).toContain("pods and values share namespace flyte: the guard is there");
    expect(said).toContain("everybody in the cluster reaches port 9443; name the API server");
  });

  test("H4: a pod without the three labels reads not even the global secrets", async () => {
    const answers = [
      {},
      { project: "shop", domain: "development" },
      { ...LABELS, organization: "acme" },
      { organization: "flyte", project: "shop" },
      // It would end the encoded id early.
      { ...LABELS, domain: "development__project____key__a" },
    ].map((labels) => attempt("create", podWith(container(managed(id("", "", "shared"))), { labels })));
    for (const answer of await Promise.all(answers))
      expect(answer).toContain("labels organization, project and domain");
  });

  test("a pod gets what its labels lead to, and what is no secret of ours", async () => {
    const ways: [string, object][] = [
      ["its project's secret as a variable", container(managed(OWN))],
      ["its domain's secret", container(managed(id("", "development", "api-key")))],
      ["a global secret", init(managed(id("", "", "api-key")))],
      ["its project's secret as a file", volume({ secret: file(OWN) })],
      ["its project's secret as a projected file", volume(projected(OWN))],
      ["a Secret of a user's", container({ envFrom: [{ secretRef: { name: "database" } }] })],
      ["a user's volume", volume({ secret: { secretName: "database" } })],
      ["an image-pull secret that it does not read", { imagePullSecrets: [{ name: imagePullSecretName(OWN) }] }],
      ["an account of a user's", { serviceAccountName: "train" }],
      ["no secret at all", {}],
    ];
    expect(await judge(ways)).toEqual(all(ways, "created"));
  });

  describe("with what a task can copy from the installation's own pods", () => {
    const own = (name: string, kind = "ReplicaSet") => ({
      name: `${name}-x`,
      ownerReferences: [{ apiVersion: "apps/v1", kind, name, uid: "0", controller: true }],
      labels: { "app.kubernetes.io/name": "flyte-secrets", "app.kubernetes.io/component": "service" },
    });
    const spec = {
      serviceAccountName: "flyte-secrets-service",
      ...volume({ secret: { secretName: "flyte-secrets-token" } }),
    };
    const controller = (name: string) => [`--as=system:serviceaccount:kube-system:${name}-controller`];

    test("the installation's pods are made by the ReplicaSets of its Deployments", async () => {
      const pod = podWith(spec, own("flyte-secrets-service-5f6d8"));
      expect(await attempt("create", pod, controller("replicaset"))).toBe("created");
    });

    test.each([
      ["labels and owner", "flyte-secrets-service-5f6d8", ["--as=tenant"]],
      ["a ReplicaSet of another name", "flyte-secrets-services-5f6d8", controller("replicaset")],
      ["a Deployment whose name goes on", "flyte-secrets-service-worker-5f6d8", controller("replicaset")],
    ])("H4: a pod gets no token by %s", async (_, owner, as) => {
      expect(await attempt("create", podWith(spec, own(owner)), as)).toContain("guard of the");
    });

    test("H4: a pod gets no token by another kind of owner of that name", async () => {
      const pod = podWith(spec, own("flyte-secrets-service-5f6d8", "Job"));
      expect(await attempt("create", pod, controller("replicaset"))).toContain("guard of the");
    });

    const replicaSet = (name: string, owner?: string) => ({
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { ...(owner === undefined ? {} : own(owner, "Deployment")), name, namespace: "flyte" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { ...podWith({}).spec, ...spec } },
      },
    });

    test.each([
      ["of the name by hand", replicaSet("flyte-secrets-service-5f6d8"), ["--as=tenant"]],
      ["with the owner by hand", replicaSet("flyte-secrets-service-5f6d8", "flyte-secrets-service"), ["--as=tenant"]],
      [
        "by a Deployment of theirs",
        replicaSet("flyte-secrets-service-5f6d8", "flyte-secrets-service-"),
        controller("deployment"),
      ],
    ])("H4: nobody makes a ReplicaSet %s", async (_, object, as) => {
      expect(await attempt("create", object, as)).toContain("ReplicaSets of this name are for");
    });

    test("the ReplicaSet of a Deployment of the installation is made, and by nobody changed", async () => {
      const real = replicaSet("flyte-secrets-webhook-5f6d8", "flyte-secrets-webhook");
      expect(await attempt("create", real, controller("deployment"))).toBe("created");
      await kubectl(["create", "-f", "-", ...controller("deployment")], JSON.stringify(real));
      const changed = { ...real, spec: { ...real.spec, template: { ...real.spec.template, spec: podWith({}).spec } } };
      expect(await attempt("replace", changed)).toContain("ReplicaSets of this name are for");
      await kubectl(["annotate", "replicaset", real.metadata.name, "-n", "flyte", "--as=tenant", "seen=true"]);
      await kubectl(["delete", "replicaset", real.metadata.name, "-n", "flyte"]);
    });
  });

  test("H4: a running pod gets no secret by an ephemeral container, and its labels may change", async () => {
    await kubectl(["create", "-f", "-", "--as=tenant"], JSON.stringify(podWith({})));
    const debugging = (fields: object) => {
      const ephemeralContainers = [{ name: "debug", image: "busybox", ...fields }];
      const patch = JSON.stringify({ spec: { ephemeralContainers } });
      const ask = ["patch", "pod", "train", "-n", "flyte", "--subresource=ephemeralcontainers", "--as=tenant"];
      return kubectl([...ask, "--dry-run=server", "-p", patch]);
    };
    await expect(debugging(managed(FOREIGN))).rejects.toThrow("guard of the");
    await expect(debugging({ envFrom: [{ secretRef: { name: "flyte-secrets-token" } }] })).rejects.toThrow(
      "guard of the",
    );
    await debugging(managed(OWN));
    await kubectl(["label", "pod", "train", "-n", "flyte", "--as=tenant", "seen=true"]);
    await kubectl(["delete", "pod", "train", "-n", "flyte", "--force", "--grace-period=0"]);
  });

  test("a pod of a thousand variables is judged", async () => {
    const env = Array.from({ length: 1000 }, (_, index) => ({ ...managed(OWN).env[0], name: `KEY_${index}` }));
    expect(await attempt("create", podWith(container({ env })))).toBe("created");
    const last = { ...managed(FOREIGN).env[0], name: "LAST" };
    expect(await attempt("create", podWith(container({ env: [...env, last] })))).toContain("guard of the");
  });

  describe("whose accounts were taken over", () => {
    const webhook = ["--as=system:serviceaccount:flyte:flyte-secrets-webhook"];
    const service = ["--as=system:serviceaccount:flyte:flyte-secrets-service"];
    const secret = (name: string, { labels = {}, namespace = "kube-system" } = {}) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, labels },
      stringData: { value: "value" },
    });
    const WRITTEN = { "app.flyte.org/managed-by": "flyte-secrets-webhook" };
    const REFUSED = "writes its own Secrets alone";

    test("M6: the webhook with rights everywhere writes no Secret but those with its label", async () => {
      expect(await attempt("create", secret("bootstrap-token-abcdef"), webhook)).toContain(REFUSED);
      const mine = secret("flyte-secrets-0123456789abcdef0123456789abcdef", { labels: WRITTEN });
      expect(await attempt("create", mine, webhook)).toBe("created");
    });

    test("M6: the webhook changes no Secret of others, nor gives one its label, nor deletes one", async () => {
      await kubectl(["create", "-f", "-"], JSON.stringify(secret("database")));
      const patch = (labels: object) => {
        const ask = ["patch", "secret", "database", "-n", "kube-system", "--dry-run=server", ...webhook];
        return kubectl([...ask, "-p", JSON.stringify({ metadata: { labels }, stringData: { value: "other" } })]);
      };
      await expect(patch({})).rejects.toThrow(REFUSED);
      await expect(patch(WRITTEN)).rejects.toThrow(REFUSED);
      const remove = ["delete", "secret", "database", "-n", "kube-system", "--dry-run=server"];
      await expect(kubectl([...remove, ...webhook])).rejects.toThrow(REFUSED);
      await kubectl(remove);
    });

    test("M6: the service writes what has a managed Secret's name, and no other Secret of its namespace", async () => {
      const kept = secret(kubernetesSecretName(OWN), { namespace: "flyte" });
      expect(await attempt("create", kept, service)).toBe("created");
      expect(await attempt("create", secret("database", { namespace: "flyte" }), service)).toContain(REFUSED);
      const remove = ["delete", "secret", "flyte-secrets-token", "-n", "flyte", "--dry-run=server", ...service];
      await expect(kubectl(remove)).rejects.toThrow(REFUSED);
    });

    const register = (fields: object) => {
      const rules = [
        { operations: ["CREATE"], apiGroups: ["*"], apiVersions: ["v1"], resources: ["pods"], scope: "*" },
      ];
      const clientConfig = { url: "https://127.0.0.1:9443/mutate--v1-pod" };
      const objectSelector = { matchLabels: { "inject-flyte-secrets": "true" } };
      const name = "flyte-pod-webhook.flyte.org";
      const fixed = {
        name,
        clientConfig,
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Ignore",
      };
      const patch = { webhooks: [{ ...fixed, rules, objectSelector, ...fields }] };
      const ask = [
        "patch",
        "mutatingwebhookconfiguration",
        "flyte-secrets-webhook",
        "--type=merge",
        "--dry-run=server",
      ];
      // It updates; RBAC knows patches apart.
      return kubectl([...ask, "-p", JSON.stringify(patch), ...webhook, "--as-group=patchers"]);
    };

    const rulesFor = (operation: string, ...resources: string[]) => ({
      rules: [{ operations: [operation], apiGroups: ["*"], apiVersions: ["v1"], resources }],
    });

    test("M6: the webhook registers for new pods with its label and for nothing else", async () => {
      const grant = ["create", "clusterrole", "patchers", "--verb=patch", "--resource=mutatingwebhookconfigurations"];
      await kubectl(grant);
      await kubectl(["create", "clusterrolebinding", "patchers", "--clusterrole=patchers", "--group=patchers"]);
      await register({});
      const others = [
        rulesFor("CREATE", "secrets"),
        rulesFor("CREATE", "pods", "secrets"),
        rulesFor("CREATE", "*/*"),
        rulesFor("*", "pods"),
        { objectSelector: {} },
        { objectSelector: { matchLabels: { "inject-flyte-secrets": "false" } } },
        { name: "another.flyte.org" },
      ];
      for (const fields of others) {
        await expect(register(fields)).rejects.toThrow("registers itself for new pods with the label");
      }
    });
  });
});
