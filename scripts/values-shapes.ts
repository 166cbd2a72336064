// What the values of the Helm chart look like that are its own.

/** What of JSON Schema is used here (https://json-schema.org/draft-07). */
export interface Schema {
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
  readonly const?: string;
  readonly enum?: readonly string[];
}

/**
 * A map with these keys and no others, so that a typing error is refused: `at '/webhook/replica': value must be 'under
 * one of the keys enabled, image, ...'`. Helm's message for `additionalProperties: false` names no key that there is,
 * and that for `propertyNames` has a wrong path.
 */
export const closed = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  properties,
  additionalProperties: { const: `under one of the keys ${Object.keys(properties).join(", ")}` },
});
/** A map that belongs to Kubernetes or Flyte: what stands in it is theirs to check. */
export const open = (properties: Readonly<Record<string, Schema>> = {}): Schema => ({ type: "object", properties });
/**
 * {@link open}, but for keys that are a typing error for one of these: one edit away, or in other letters, which Helm
 * tells apart. Helm's message is `at '/webhok': value must be 'under the key webhook'`: its schemas have no other text.
 */
export const openButTypos = (properties: Readonly<Record<string, Schema>>, others: readonly string[] = []): Schema => {
  const names = [...Object.keys(properties), ...others];
  const refused = (name: string): Schema => ({ const: `under the key ${name}` });
  return {
    ...open(properties),
    patternProperties: Object.fromEntries(Object.keys(properties).map((name) => [typosOf(name, names), refused(name)])),
  };
};

/**
 * A letter added, left out or changed, two swapped, or one in the other case; but no other name. Without lookahead:
 * Helm's expressions are Go's.
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

export const listOf = (items: Schema): Schema => ({ type: "array", items });
export const text: Schema = { type: "string" };
export const flag: Schema = { type: "boolean" };
export const port: Schema = { type: "integer", minimum: 1, maximum: 65535 };
export const texts: Schema = { type: "object", additionalProperties: text };
export const digest: Schema = { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" };
/** Kubernetes' int-or-string. */
const amount: Schema = { type: ["integer", "string", "null"] };
const count: Schema = { type: "integer", minimum: 0 };
const maybeCount: Schema = { type: ["integer", "null"], minimum: 0 };
const objects = listOf(open());
const maybeObjects: Schema = { type: ["array", "null"], items: open() };
export const pullSecrets = listOf({ type: ["string", "object"] });
export const networkPolicy = (...peers: readonly string[]) =>
  closed({ enabled: flag, egress: maybeObjects, ...Object.fromEntries(peers.map((name) => [name, objects])) });

export const imageOf = (policies: readonly string[], repository: Schema) =>
  closed({ registry: text, repository, tag: text, digest, pullPolicy: { type: "string", enum: policies } });
export const POLICIES = ["Always", "IfNotPresent", "Never"] as const;

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
export const COMPONENT: Readonly<Record<string, Schema>> = {
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

export const MONITORING: Readonly<Record<string, Schema>> = {
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
