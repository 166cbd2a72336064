import { SecretsError } from "@flyte-secrets/core";

/** What a server wanted to listen on, and the settings that say so. */
export interface ListenAttempt {
  readonly address: string;
  readonly settings: { readonly host: string; readonly port: string };
}

/** What Node says when it can't have an address, as `listen_failed` with the setting to change. */
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
