import { SecretValue } from "@flyte-secrets/core";
import { formatError } from "./secret-entry.ts";

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes of standard base64 with padding; line breaks are allowed. Anything else is an error that names the entry. */
export function decodeBase64(text: string, name: string): SecretValue {
  const compact = text.replace(/[\r\n]/g, "");
  if (!BASE64.test(compact)) throw formatError(`${name} is not base64`);
  return SecretValue.fromBytes(Buffer.from(compact, "base64"));
}
