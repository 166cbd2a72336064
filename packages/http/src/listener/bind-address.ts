import { SecretsError } from "@flyte-secrets/core";

/** Where to listen; without a host, on all addresses of the machine. */
export interface BindAddress {
  readonly host?: string;
  readonly port: number;
}

/**
 * Reads an address as Go and controller-runtime write it: `:8081`, `127.0.0.1:8081`, `[::1]:8081`; undefined for nothing and
 * for `0`, which turn the server off. Throws `invalid_config` naming the setting.
 */
export function parseBindAddress(text: string, setting: string): BindAddress | undefined {
  if (text === "" || text === "0") return undefined;
  const [, bracketed, plain = "", digits = ""] = /^(?:\[(.+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) {
    throw new SecretsError("invalid_config", `${setting}: must be HOST:PORT such as :8081, or empty for none`);
  }
  const host = bracketed ?? plain;
  return { port, ...(host !== "" && { host }) };
}
