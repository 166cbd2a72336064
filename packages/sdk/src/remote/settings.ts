import { SecretsError } from "@flyte-secrets/core";

/** What one source says about the service and the scope; what it doesn't say is undefined. */
export interface Settings {
  readonly endpoint?: string | undefined;
  /** Plain HTTP, for an endpoint that is no URL. */
  readonly insecure?: boolean | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  readonly caCertFilePath?: string | undefined;
  readonly org?: string | undefined;
  readonly project?: string | undefined;
  readonly domain?: string | undefined;
}

/**
 * The settings of a source that answers to Flyte's keys, such as `admin.endpoint`. `name` tells how a key is called there,
 * for `invalid_config` when a value has the wrong type.
 */
export function readSettings(read: (key: string) => unknown, name: (key: string) => string): Settings {
  const value = (key: string): unknown => read(key) ?? undefined;
  const text = (key: string): string | undefined => {
    const found = value(key);
    if (found === undefined || typeof found === "string") return found || undefined;
    throw new SecretsError("invalid_config", `${name(key)} must be text.`);
  };
  const flag = (key: string): boolean | undefined => {
    const found = value(key);
    return found === undefined || typeof found === "boolean" ? found : parseFlag(String(found), name(key));
  };
  return {
    endpoint: text("admin.endpoint"),
    insecure: flag("admin.insecure"),
    insecureSkipVerify: flag("admin.insecureSkipVerify"),
    caCertFilePath: text("admin.caCertFilePath"),
    org: text("task.org"),
    project: text("task.project"),
    domain: text("task.domain"),
  };
}

/** Reads a flag as Flyte does; empty is unset. `invalid_config` for anything else, naming `name`. */
export function parseFlag(text: string, name: string): boolean | undefined {
  if (text === "") return undefined;
  if (/^(true|t|yes|y|on|1)$/i.test(text)) return true;
  if (/^(false|f|no|n|off|0)$/i.test(text)) return false;
  throw new SecretsError("invalid_config", `${name} must be true or false.`);
}
