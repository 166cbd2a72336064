import { BASE32_STANDARD, parseObject, type SecretId, SecretsError, SecretValue } from "@flyte-secrets/core";

const VERSION = "1";
const MAX_LENGTH = 127;

/**
 * Name of a secret in Azure Key Vault, which takes 127 of `[0-9a-zA-Z-]` and ignores case. Throws `invalid_argument`
 * when it would be longer (N-13).
 */
export function encodeAzureName(id: SecretId): string {
  const scope = [id.org, id.domain, id.project].map((part) => part.replaceAll("0", "00").replaceAll("-", "01"));
  const name = [VERSION, ...scope, BASE32_STANDARD.encode(new TextEncoder().encode(id.name))].join("-");
  if (name.length <= MAX_LENGTH) return name;
  throw new SecretsError(
    "invalid_argument",
    `encoded secret name with length ${name.length} exceeds maximum length: ${MAX_LENGTH}`,
  );
}

/** Reverses {@link encodeAzureName}. Throws `invalid_argument`, naming the part, for a name of another form. */
export function decodeAzureName(text: string): SecretId {
  const [version, org, domain, project, name, ...rest] = text.split("-");
  if (org === undefined || domain === undefined || project === undefined || name === undefined || rest.length > 0) {
    throw new SecretsError("invalid_argument", "Azure secret name must have 5 parts separated by -");
  }
  if (version !== VERSION)
    throw new SecretsError("invalid_argument", `Azure secret name must be of version ${VERSION}`);
  return {
    org: unescapePart("organization", org),
    domain: unescapePart("domain", domain),
    project: unescapePart("project", project),
    name: decodeName(name),
  };
}

function unescapePart(field: string, part: string): string {
  return part.replace(/0(.?)/g, (_, code: string) => {
    if (code === "0") return "0";
    if (code === "1") return "-";
    throw new SecretsError("invalid_argument", `Azure secret name: ${field} has an escape other than 00 and 01`);
  });
}

function decodeName(part: string): string {
  const bytes = BASE32_STANDARD.decode(part.toUpperCase());
  try {
    if (bytes !== undefined) return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: handled below.
  }
  throw new SecretsError("invalid_argument", "Azure secret name: name is not base32 of UTF-8 text");
}

/** What is stored in Azure Key Vault for a value: JSON that keeps text readable and marks bytes (N-14). */
export function encodeAzureValue(value: SecretValue): string {
  const text = value.revealText();
  return JSON.stringify(
    text === undefined ? { type: "BINARY", value: value.revealBase64() } : { type: "STRING", value: text },
  );
}

/** Reads what {@link encodeAzureValue} or Flyte stored. Throws `value_unreadable` for anything else. */
export function decodeAzureValue(text: string): SecretValue {
  const { type, value } = parseObject(text) ?? {};
  if (typeof value === "string") {
    if (type === "STRING") return SecretValue.fromText(value);
    const bytes = Buffer.from(value, "base64");
    if (type === "BINARY" && bytes.toString("base64") === value) return SecretValue.fromBytes(bytes);
  }
  throw damaged();
}

function damaged(): SecretsError {
  return new SecretsError(
    "value_unreadable",
    'the Azure secret is not of the form {"type":"STRING"|"BINARY","value":"..."}: write it again with flyte-secrets',
  );
}
