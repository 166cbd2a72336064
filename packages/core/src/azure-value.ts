import { SecretsError } from "./errors.ts";
import { parseObject } from "./json-object.ts";
import { SecretValue } from "./secret-value.ts";

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
