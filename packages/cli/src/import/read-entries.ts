import { checkSecretId, DEFAULT_ORGANIZATION, SecretsError } from "@flyte-secrets/core";
import type { SecretEntry } from "../formats/secret-entry.ts";
import { formatFor } from "../formats/secret-formats.ts";
import type { Host } from "../host.ts";
import { describeScope, type SecretCommandOptions } from "../options/secret-command-options.ts";
import { MAX_VALUE_BYTES, readText } from "../values/read-input.ts";
import { naming } from "./naming.ts";

/**
 * The secrets of a file, each with a name that can be created at its scope: that of the options, unless the file says another. Every
 * error names the file and the entry or line; a format that is neither named nor told by the file's name, and options beside a
 * scope of the file's are `usage`.
 */
export async function readEntries(
  file: string,
  options: SecretCommandOptions & { readonly format?: string; readonly maxBytes?: number },
  host: Host,
): Promise<SecretEntry[]> {
  const format = formatFor(options.format, file);
  if (!format) throw new SecretsError("usage", "the file's name does not tell its format; say it with --format");
  const text = await readText(file, { option: "file", host, maxBytes: options.maxBytes });
  const entries = await naming(file, () => format.parse(text));
  for (const entry of entries) await naming(`${file}: ${entry.name}`, () => checkEntry(entry, options));
  return entries;
}

function checkEntry({ name, type, value, scope }: SecretEntry, options: SecretCommandOptions): void {
  if (scope && (options.project || options.domain || options.clusterPool)) {
    throw new SecretsError(
      "usage",
      `the file says where it belongs (${describeScope(scope)}); leave out --project, --domain and --cluster-pool`,
    );
  }
  const { project = "", domain = "" } = scope ?? options;
  checkSecretId({ org: DEFAULT_ORGANIZATION, domain, project, name });
  const size = value?.byteLength ?? 0;
  if (size > MAX_VALUE_BYTES) {
    throw new SecretsError(
      "invalid_argument",
      `its value has ${size} bytes, and a secret takes ${MAX_VALUE_BYTES} (1 MiB)`,
    );
  }
  if (type === "image_pull" && domain !== "") {
    throw new SecretsError(
      "invalid_argument",
      "an image-pull secret has neither project nor domain; import it without",
    );
  }
}
