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
  const definitions = propertiesBelow("");
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
 * What a section of the configuration holds, by key; the sections themselves below "". What stands in a text is left
 * to the program, which knows the rule and the remedy.
 */
function propertiesBelow(section: string, entries = listEntries()): Record<string, Schema> {
  const inside = entries.filter(({ path }) => path.slice(0, Math.max(path.lastIndexOf("."), 0)) === section);
  const schemas = inside.map((entry): [string, Schema] => {
    const key = entry.path.slice(entry.path.lastIndexOf(".") + 1);
    if ("type" in entry) return [key, { description: `${entry.about} Takes ${entry.type}.`, ...shapeOf(entry.type) }];
    const properties = propertiesBelow(entry.path, entries);
    return [key, { description: entry.about, ...(entry.open ? open(properties) : closed(properties)) }];
  });
  return Object.fromEntries(schemas);
}

/**
 * A map may be a list of one-key maps, and YAML reads many a text as something else. Of an integer the chart makes
 * ports, so it has to be one, in quotes or without.
 */
function shapeOf(takes: string): Schema {
  if (takes.startsWith("a list of")) return { type: ["array", "null"] };
  if (/^a (map|Kubernetes label selector)\b/.test(takes)) return { type: ["object", "array", "null"] };
  if (takes.startsWith("an integer")) return { type: ["integer", "string", "null"], pattern: "^ *[0-9]+ *$" };
  return { type: ["string", "number", "boolean", "null"] };
}
