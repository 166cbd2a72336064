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
const listOf = (items: Schema): Schema => ({ type: "array", items });
const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const port: Schema = { type: "integer", minimum: 1, maximum: 65535 };
const texts: Schema = { type: "object", additionalProperties: text };
const digest: Schema = { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" };
const networkPolicy = (...peers: readonly string[]) =>
  closed({ enabled: flag, ...Object.fromEntries(peers.map((name) => [name, listOf(open())])) });

const POD: Readonly<Record<string, Schema>> = {
  enabled: flag,
  replicas: { type: "integer", minimum: 0 },
  serviceAccountAnnotations: texts,
  podAnnotations: texts,
  podLabels: texts,
  resources: open(),
  priorityClassName: text,
  nodeSelector: texts,
  tolerations: listOf(open()),
  affinity: open(),
  extraEnv: listOf(open()),
  extraVolumes: listOf(open()),
  extraVolumeMounts: listOf(open()),
};

/** `values.schema.json` of the Helm chart: its own values, and in Flyte's places the settings that the configuration has. */
export function renderValuesSchema(): string {
  const definitions = toSections();
  const sections = Object.fromEntries(Object.keys(definitions).map((name) => [name, sectionOf(name)]));
  const inline = { ...sections, "flyte-pod-webhook": sectionOf("webhook"), secretsWebhook: sectionOf("webhook") };
  const schema: Schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    ...closed({
      // Helm's own.
      global: open(),
      fullnameOverride: text,
      image: closed({
        repository: { type: "string", minLength: 1 },
        tag: text,
        digest,
        pullPolicy: { type: "string", enum: ["Always", "IfNotPresent", "Never"] },
      }),
      imagePullSecrets: listOf(closed({ name: text })),
      // 1,000,000,000 and less is for users (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/).
      priorityClass: closed({ create: flag, name: text, value: { type: "integer", maximum: 1_000_000_000 } }),
      guard: closed({ enabled: flag, controllers: listOf(text) }),
      "flyte-core-components": open({ secret: sectionOf("secret"), actions: sectionOf("actions") }),
      configuration: open({ inline: open(inline) }),
      service: closed({
        ...POD,
        port,
        tokenSecret: { type: "string", minLength: 1 },
        tlsSecret: text,
        selfMadeTls: { type: ["boolean", "null"] },
        ingress: closed({
          enabled: flag,
          className: text,
          annotations: texts,
          host: text,
          tlsSecret: text,
          paths: listOf({ type: "string", pattern: "^/" }),
        }),
        networkPolicy: networkPolicy("from"),
      }),
      webhook: closed({
        ...POD,
        certManager: closed({ enabled: flag, issuerRef: closed({ name: text, kind: text, group: text }) }),
        networkPolicy: networkPolicy("admissionFrom", "invalidationFrom", "metricsFrom"),
        hostNetwork: flag,
        fileMountImageDigest: digest,
      }),
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
