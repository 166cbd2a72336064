import { listEntries } from "@flyte-secrets/config";
import {
  COMPONENT,
  closed,
  digest,
  flag,
  imageOf,
  listOf,
  MONITORING,
  networkPolicy,
  open,
  openButTypos,
  POLICIES,
  port,
  pullSecrets,
  type Schema,
  text,
  texts,
} from "./values-shapes.ts";

/**
 * `values.schema.json` of the Helm chart: its own values, and in Flyte's places the settings that the configuration
 * has.
 */
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

/**
 * The configuration's sections by name. What stands in a text is left to the program, which knows the rule and the
 * remedy.
 */
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
