import { SecretsError } from "./errors.ts";
import { MountRequirement, type SecretRequest } from "./secret-request.ts";

/**
 * Writes a request in protobuf text format as Flyte does: one set field a line, in field order. Throws `invalid_argument` for a
 * mount requirement without a name, and for a lone surrogate, which UTF-8 can't carry.
 */
export function encodeRequestText(request: SecretRequest): string {
  return (
    stringField("group", request.group) +
    stringField("group_version", request.groupVersion) +
    stringField("key", request.key) +
    mountRequirementField(request.mountRequirement) +
    stringField("env_var", request.envVar)
  );
}

function mountRequirementField(mountRequirement: number): string {
  const name = Object.entries(MountRequirement).find(([, number]) => number === mountRequirement)?.[0];
  if (name === undefined) {
    throw new SecretsError("invalid_argument", `invalid mount requirement [${mountRequirement}]`);
  }
  return mountRequirement === MountRequirement.ANY ? "" : `mount_requirement: ${name}\n`;
}

function stringField(name: string, value: string): string {
  if (value === "") return "";
  if (!value.isWellFormed()) {
    throw new SecretsError("invalid_argument", `${name}: must be Unicode text without lone surrogates`);
  }
  return `${name}: "${/^[ !#-[\]-~]*$/.test(value) ? value : escapeText(value)}"\n`;
}

function escapeText(value: string): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(value)) escaped += escapeByte(byte);
  return escaped;
}

function escapeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    case '"':
    case "\\":
      return `\\${character}`;
    default:
      return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, "0")}` : character;
  }
}
