import { createHash } from "node:crypto";
import { MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import type { PodEdit } from "../pod/edit.ts";
import { DIRECTORY_EDITS, type Injector, SECRETS_DIRECTORY } from "./injector.ts";
import {
  describeUnknownMount,
  type GroupNames,
  PATH_LEAVES,
  secretPath,
  validateGroup,
  validateKey,
  validatePath,
} from "./request-fields.ts";

/** `vaultSecretManager`. */
export interface VaultInjectorOptions {
  readonly role?: string;
  /** The engine of a request whose group version names none; `2` by default. */
  readonly kvVersion?: "1" | "2";
  /** Added to each pod. They take precedence over those of this injector, and the pod's own over them. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Vault has no limit of its own, but the path is also a file's. */
const GROUPS: GroupNames = { what: "a path in Vault", maxLength: 2_048 };

/** The random UUID that is the namespace of our name-based UUIDs (RFC 9562, section 5.5). */
const NAME_SPACE = Buffer.from("72c676a1e83f45bd9b8435de7cdfabc2", "hex");

/**
 * Vault through its agent injector, which acts on annotations: the secret is `key` of the path `group`,
 * its file `/etc/flyte/secrets/<group>/<key>`. `group_version` names the engine: `kv1`, `kv2` or `db` (I-27, I-28).
 */
export function createVaultInjector(options: VaultInjectorOptions = {}): Injector {
  const { role = "flyte", kvVersion = "2", annotations = {} } = options;
  return {
    name: "Vault",
    refersTo: ({ group, key }) =>
      group === "" ? { kind: "nothing" } : { kind: "group", group, unclear: validatePath(group) ?? validateKey(key) },
    async inject(request) {
      const reason = validateRequest(request);
      if (reason !== undefined) return { injected: false, reason };
      const configured = Object.entries(annotations);
      const own = Object.entries(agentAnnotations(request, { role, kvVersion })).map(
        ([name, value]) => [`vault.hashicorp.com/${name}`, value] as const,
      );
      const edits = [...configured, ...own].map(([name, value]): PodEdit => ({ kind: "annotation", name, value }));
      const { group, key } = request;
      return {
        injected: true,
        edits: [...DIRECTORY_EDITS, ...edits],
        deferredMount: SECRETS_DIRECTORY,
        deferredRead: { secret: `${group} ${key}`, file: `${SECRETS_DIRECTORY}/${secretPath(group, key)}` },
      };
    },
  };
}

function agentAnnotations(
  { group, groupVersion, key }: SecretRequest,
  { role, kvVersion }: { role: string; kvVersion: "1" | "2" },
): Record<string, string> {
  const uuid = nameUuid(JSON.stringify([group, groupVersion, key]));
  const query = queryOf(groupVersion, kvVersion);
  return {
    "agent-inject": "true",
    "secret-volume-path": SECRETS_DIRECTORY,
    role,
    "agent-pre-populate-only": "true",
    [`agent-inject-secret-${uuid}`]: group,
    [`agent-inject-file-${uuid}`]: `${group}/${key}`,
    ...(query && {
      [`agent-inject-template-${uuid}`]: `{{- with secret ${quoteForGo(group)} -}}${keyValue(query, key)}{{- end -}}`,
      // Without it a key that isn't there becomes the text `<no value>`.
      [`error-on-missing-key-${uuid}`]: "true",
    }),
  };
}

/** The field names of Go's templates. */
const FIELD = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A template (Go's text/template) for the value of a key. Rendering fails where the key is missing. */
function keyValue(query: string, key: string): string {
  if (FIELD.test(key)) return `{{ ${query}.${key} }}`;
  // `index` accepts any key and returns nil for a missing one; indexing nil makes the rendering fail.
  const isNil = 'eq (printf "%T" $value) "<nil>"';
  return `{{ $value := index ${query} ${quoteForGo(key)} }}{{ if ${isNil} }}{{ index $value 0 }}{{ end }}{{ $value }}`;
}

/** Quotes a string for Go. JSON's strings are Go's, except lone surrogates, which UTF-8 text cannot contain. */
function quoteForGo(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

/** The template path at which an engine's response has the keys; undefined where the whole response is the secret. */
function queryOf(groupVersion: string, kvVersion: "1" | "2"): string | undefined {
  switch (groupVersion) {
    case "db":
      return undefined;
    case "kv1":
      return ".Data";
    case "kv2":
      return ".Data.data";
    default:
      return kvVersion === "1" ? ".Data" : ".Data.data";
  }
}

/** A name-based UUID (version 5 of RFC 9562): equal for equal names, so that a second mutation adds nothing. */
function nameUuid(name: string): string {
  const bytes = createHash("sha1").update(NAME_SPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function validateRequest(request: SecretRequest): string | undefined {
  const { group, key, mountRequirement } = request;
  if (group === "" || key === "") return "Vault Secrets Webhook requires both group and key to be set";
  if (mountRequirement === MountRequirement.ENV_VAR) {
    return "Env_Var is not a supported mount requirement for Vault Secret Manager";
  }
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
    return describeUnknownMount(request);
  }
  return validateGroup(request, GROUPS) ?? (secretPath(group, key) === undefined ? PATH_LEAVES : undefined);
}
