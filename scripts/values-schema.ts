import { listEntries } from "@flyte-secrets/server";

/** What of JSON Schema is used here (https://json-schema.org/draft-07). */
interface Schema {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly not?: Schema;
  readonly enum?: readonly string[];
}

/** A map with these keys and no others, so that a typing error is refused. */
const closed = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  properties,
  additionalProperties: false,
});
/** A map that belongs to Kubernetes or Flyte: what stands in it is theirs to check. */
const open = (properties: Readonly<Record<string, Schema>> = {}): Schema => ({ type: "object", properties });
/** {@link open}, but for keys that are a typing error for one of these: one edit away, or in other letters, which Helm tells apart. */
const openButTypos = (properties: Readonly<Record<string, Schema>>, others: readonly string[] = []): Schema => {
  const names = [...Object.keys(properties), ...others];
  const refused = (name: string): Schema => ({ not: {}, description: `A typing error: ${name} is meant.` });
  return {
    ...open(properties),
    patternProperties: Object.fromEntries(Object.keys(properties).map((name) => [typosOf(name, names), refused(name)])),
  };
};

/**
 * A letter added, left out or changed, two swapped, or one in the other case; but no other name. Without lookahead: Helm's expressions are Go's.
 */
function typosOf(name: string, names: readonly string[]): string {
  const others = names.map((other) => other.toLowerCase()).filter((other) => other !== name.toLowerCase());
  const letters = [...name].map(inAnyCase);
  const typo = (at: number, middle: string, taken: number) =>
    [...letters.slice(0, at), middle, ...letters.slice(at + taken)].join("");
  const isOther = (pattern: string) => others.some((other) => new RegExp(`^${pattern}$`).test(other));
  /** Any letter at that place but those that would make it another name. */
  const anyBut = (at: number, taken: number, letter: string) => {
    const like = others.filter((other) => new RegExp(`^${typo(at, ".", taken)}$`).test(other));
    const excluded = [letter, ...like.map((other) => other.charAt(at))].map(inAnyCase).join("").replace(/[[\]]/g, "");
    return typo(at, excluded === "" ? "." : `[^${excluded}]`, taken);
  };
  const edits = [...name].flatMap((letter, at) => [
    typo(at, "", 1),
    typo(at, `${letters[at + 1] ?? ""}${letters[at]}`, 2),
    typo(at, letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(), 1),
  ]);
  const changed = [...name].map((letter, at) => anyBut(at, 1, letter));
  const added = Array.from({ length: name.length + 1 }, (_, at) => anyBut(at, 0, ""));
  // Leaving out or swapping one of two that are the same may give the name itself.
  const wrong = edits.filter((pattern) => !isOther(pattern) && !new RegExp(`^${pattern}$`).test(name));
  return `^(?:${[...new Set([...wrong, ...changed, ...added])].join("|")})$`;
}

function inAnyCase(letter: string): string {
  return /[a-z]/i.test(letter) ? `[${letter.toLowerCase()}${letter.toUpperCase()}]` : letter;
}

const listOf = (items: Schema): Schema => ({ type: "array", items });
const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const port: Schema = { type: "integer", minimum: 1, maximum: 65535 };
const texts: Schema = { type: "object", additionalProperties: text };
const digest: Schema = { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" };
/** Kubernetes' int-or-string. */
const amount: Schema = { type: ["integer", "string", "null"] };
const count: Schema = { type: "integer", minimum: 0 };
const maybeCount: Schema = { type: ["integer", "null"], minimum: 0 };
const objects = listOf(open());
const maybeObjects: Schema = { type: ["array", "null"], items: open() };
const pullSecrets = listOf({ type: ["string", "object"] });
const networkPolicy = (...peers: readonly string[]) =>
  closed({ enabled: flag, egress: maybeObjects, ...Object.fromEntries(peers.map((name) => [name, objects])) });

const imageOf = (policies: readonly string[], repository: Schema) =>
  closed({ registry: text, repository, tag: text, digest, pullPolicy: { type: "string", enum: policies } });
const POLICIES = ["Always", "IfNotPresent", "Never"] as const;

const probe = closed({
  enabled: flag,
  initialDelaySeconds: count,
  periodSeconds: count,
  timeoutSeconds: count,
  successThreshold: count,
  failureThreshold: count,
  terminationGracePeriodSeconds: count,
});

const AVAILABILITY: Readonly<Record<string, Schema>> = {
  replicas: count,
  autoscaling: closed({
    enabled: flag,
    minReplicas: count,
    maxReplicas: count,
    targetCPUUtilizationPercentage: maybeCount,
    targetMemoryUtilizationPercentage: maybeCount,
    metrics: objects,
    behavior: open(),
  }),
  podDisruptionBudget: closed({
    enabled: flag,
    minAvailable: amount,
    maxUnavailable: amount,
    unhealthyPodEvictionPolicy: { type: "string", enum: ["AlwaysAllow", "IfHealthyBudget"] },
  }),
  strategy: open(),
  revisionHistoryLimit: maybeCount,
};

/** What both components have. */
const COMPONENT: Readonly<Record<string, Schema>> = {
  enabled: flag,
  image: imageOf(["", ...POLICIES], text),
  ...AVAILABILITY,
  serviceType: { type: "string", enum: ["", "ClusterIP", "NodePort", "LoadBalancer"] },
  serviceLabels: texts,
  serviceAnnotations: texts,
  serviceIPFamilyPolicy: text,
  serviceIPFamilies: listOf(text),
  serviceAccount: closed({ create: flag, name: text, labels: texts, annotations: texts }),
  deploymentLabels: texts,
  deploymentAnnotations: texts,
  podAnnotations: texts,
  podLabels: texts,
  resources: open(),
  priorityClassName: text,
  podSecurityContext: open(),
  containerSecurityContext: open(),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  terminationGracePeriodSeconds: maybeCount,
  topologySpreadConstraints: maybeObjects,
  nodeSelector: texts,
  tolerations: objects,
  affinity: open(),
  runtimeClassName: text,
  dnsPolicy: text,
  dnsConfig: open(),
  hostAliases: objects,
  extraArgs: listOf(text),
  extraEnv: objects,
  envFrom: objects,
  extraVolumes: objects,
  extraVolumeMounts: objects,
  initContainers: objects,
  extraContainers: objects,
};

const monitor = closed({
  enabled: flag,
  namespace: text,
  additionalLabels: texts,
  annotations: texts,
  interval: text,
  scrapeTimeout: text,
  honorLabels: flag,
  relabelings: objects,
  metricRelabelings: objects,
});

const MONITORING: Readonly<Record<string, Schema>> = {
  serviceMonitor: monitor,
  podMonitor: monitor,
  prometheusRule: closed({
    enabled: flag,
    namespace: text,
    additionalLabels: texts,
    annotations: texts,
    alertLabels: texts,
    disabled: listOf(text),
    runbookUrl: text,
    extraGroups: objects,
  }),
  grafanaDashboard: closed({
    enabled: flag,
    namespace: text,
    sidecarLabel: text,
    sidecarLabelValue: text,
    extraLabels: texts,
    annotations: texts,
  }),
};

/** `values.schema.json` of the Helm chart: its own values, and in Flyte's places the settings that the configuration has. */
export function renderValuesSchema(): string {
  const definitions = toSections();
  const sections = Object.fromEntries(Object.keys(definitions).map((name) => [name, sectionOf(name)]));
  const inline = { ...sections, "flyte-pod-webhook": sectionOf("webhook"), secretsWebhook: sectionOf("webhook") };
  const schema: Schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    ...closed({
      // Helm's own: what other charts read is there too.
      global: open({ imageRegistry: text, imagePullSecrets: pullSecrets }),
      fullnameOverride: text,
      nameOverride: text,
      namespaceOverride: text,
      commonLabels: texts,
      commonAnnotations: texts,
      image: imageOf(POLICIES, { type: "string", minLength: 1 }),
      imagePullSecrets: pullSecrets,
      rbac: closed({ create: flag }),
      // 1,000,000,000 and less is for users (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/).
      priorityClass: closed({ create: flag, name: text, value: { type: "integer", maximum: 1_000_000_000 } }),
      guard: closed({ enabled: flag, controllers: listOf(text) }),
      "flyte-core-components": openButTypos({ secret: sectionOf("secret"), actions: sectionOf("actions") }, [
        "secrets",
      ]),
      configuration: open({ inline: openButTypos(inline) }),
      service: closed({
        ...COMPONENT,
        port,
        tokenSecret: { type: "string", minLength: 1 },
        tlsSecret: text,
        selfMadeTls: { type: ["boolean", "null"] },
        ingress: closed({
          enabled: flag,
          className: text,
          labels: texts,
          annotations: texts,
          host: text,
          tlsSecret: text,
          paths: listOf({ type: "string", pattern: "^/" }),
        }),
        networkPolicy: networkPolicy("from", "metricsFrom"),
      }),
      webhook: closed({
        ...COMPONENT,
        tlsSecret: text,
        certManager: closed({
          enabled: flag,
          issuerRef: closed({ name: text, kind: text, group: text }),
          duration: text,
          renewBefore: text,
        }),
        networkPolicy: networkPolicy("admissionFrom", "invalidationFrom", "metricsFrom"),
        hostNetwork: flag,
        fileMountImageDigest: digest,
      }),
      ...MONITORING,
      extraObjects: listOf({ type: ["string", "object"] }),
    }),
    definitions,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

const sectionOf = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** The configuration's sections by name. What stands in a text is left to the program, which knows the rule and the remedy. */
function toSections(): Record<string, Schema> {
  const root: Record<string, Schema> = {};
  // Each section comes before what it holds.
  const shapes = new Map<string, Record<string, Schema>>([["", root]]);
  for (const entry of listEntries()) {
    const cut = entry.path.lastIndexOf(".");
    const siblings = shapes.get(entry.path.slice(0, Math.max(cut, 0))) ?? {};
    const key = entry.path.slice(cut + 1);
    if ("type" in entry) {
      siblings[key] = { description: `${entry.about} Takes ${entry.type}.`, type: typesOf(entry.type) };
    } else {
      const properties: Record<string, Schema> = {};
      shapes.set(entry.path, properties);
      siblings[key] = { description: entry.about, ...(entry.open ? open(properties) : closed(properties)) };
    }
  }
  return root;
}

/** A map may be a list of one-key maps, and YAML reads many a text as something else. */
function typesOf(takes: string): string[] {
  if (takes.startsWith("a list of")) return ["array", "null"];
  if (/^a (map|Kubernetes label selector)\b/.test(takes)) return ["object", "array", "null"];
  return ["string", "number", "boolean", "null"];
}
