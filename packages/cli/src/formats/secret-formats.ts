import { dotenvFormat } from "./dotenv-format.ts";
import { jsonFormat } from "./json-format.ts";
import { kubernetesFormat } from "./kubernetes-format.ts";
import type { SecretFormat } from "./secret-entry.ts";

/** Every file format that `import` reads and `export` writes. */
export const SECRET_FORMATS: readonly SecretFormat[] = [dotenvFormat, jsonFormat, kubernetesFormat];

/** The format of that name, else the one that matches the file's name, else undefined. */
export function formatFor(name: string | undefined, fileName: string | undefined): SecretFormat | undefined {
  if (name !== undefined) return SECRET_FORMATS.find((format) => format.name === name);
  return SECRET_FORMATS.find((format) => fileName !== undefined && format.matches(fileName));
}
