import { SecretsError } from "@flyte-secrets/core";

/** The settings of one source; undefined members are not set there. */
export interface ClientSettings {
  readonly endpoint?: string | undefined;
  /** Whether to use plain HTTP if the endpoint is no URL. */
  readonly insecure?: boolean | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  readonly caCertFilePath?: string | undefined;
  readonly org?: string | undefined;
  readonly project?: string | undefined;
  readonly domain?: string | undefined;
}

/**
 * Reads the settings of a source by Flyte's keys, such as `admin.endpoint`. Throws `invalid_config` for a value of the
 * wrong type; `name` returns how a key is written in this source.
 */
export function readSettings(read: (key: string) => unknown, name: (key: string) => string): ClientSettings {
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

/** Reads a flag like Flyte; undefined for an empty text. Throws `invalid_config`, with `name`, for any other text. */
export function parseFlag(text: string, name: string): boolean | undefined {
  if (text === "") return undefined;
  if (/^(true|t|yes|y|on|1)$/i.test(text)) return true;
  if (/^(false|f|no|n|off|0)$/i.test(text)) return false;
  throw new SecretsError("invalid_config", `${name} must be true or false.`);
}

/**
 * Returns the URL of a service from any form that Flyte accepts: `host:port`, `dns:///host:port`, or a URL. The first
 * two are HTTPS unless `insecure`. Errors name the setting `source`.
 */
export function parseEndpoint(text: string, insecure: boolean, source: string): URL {
  const bare = text.trim().replace(/^dns:\/\/\/?/, "");
  const url = URL.parse(bare.includes("://") ? bare : `${insecure ? "http" : "https"}://${bare}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new SecretsError(
      "invalid_config",
      `${source}: the endpoint is not an address: write host:port, dns:///host:port, or an http or https URL.`,
    );
  }
  return url;
}

/** The parts of an API key. */
export interface ApiKey {
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly org: string | undefined;
}

/**
 * Parses a Flyte API key: base64 of `endpoint:clientId:secret:org`, where the endpoint may have a port. Throws
 * `invalid_config`, without the key, when it isn't one.
 */
export function parseApiKey(key: string, source: string): ApiKey {
  const parts = Buffer.from(key.trim(), "base64").toString().split(":");
  const [clientId, clientSecret, org] = parts.slice(-3);
  const endpoint = parts.slice(0, -3).join(":");
  if (!endpoint || !clientId || !clientSecret) {
    throw new SecretsError("invalid_config", `${source} must be base64 of endpoint:clientId:clientSecret:org.`);
  }
  // Flyte writes Python's None for a missing organization.
  return { endpoint, clientId, clientSecret, org: org === "None" || org === "" ? undefined : org };
}

/** The organization that Flyte's clients send when none is set: the first label of a host with at least three. */
export function organizationOf({ hostname }: URL): string {
  const labels = hostname.split(".");
  const isAddress = hostname.startsWith("[") || /^[0-9.]+$/.test(hostname);
  return labels.length > 2 && !isAddress ? (labels[0] ?? "") : "";
}
