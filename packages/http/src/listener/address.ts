import { BlockList, isIP, isIPv6 } from "node:net";
import { SecretsError } from "@flyte-secrets/core";

/** Where to listen; without a host, on all addresses of the machine. */
export interface BindAddress {
  readonly host?: string;
  readonly port: number;
}

/**
 * Reads an address as Go and controller-runtime write it: `:8081`, `127.0.0.1:8081`, `[::1]:8081`; undefined for
 * nothing and for `0`, which turn the server off. Throws `invalid_config` naming the setting.
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

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/**
 * Whether only this machine reaches the address. A name other than localhost counts as not, and so does "" (all
 * addresses).
 */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, isIPv6(host) ? "ipv6" : "ipv4");
}

/** The address of a listener, and the settings that it comes from. */
export interface ListenAttempt {
  readonly address: string;
  readonly settings: { readonly host: string; readonly port: string };
}

/** Converts Node's error for an address that cannot be had to `listen_failed` with the setting to change. */
export function toListenFailure(error: unknown, { address, settings }: ListenAttempt): SecretsError {
  return new SecretsError("listen_failed", describe(error, address, settings), { cause: error });
}

function describe(error: unknown, address: string, { host, port }: ListenAttempt["settings"]): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `${address} is in use: stop the other server, or choose another port (${port})`;
    case "EACCES":
      return `${address} may not be used by this user: choose a port above 1023 (${port})`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${address} is not an address of this machine (${host})`;
    default:
      return `cannot listen on ${address}: ${String(code ?? "unknown reason")}`;
  }
}
