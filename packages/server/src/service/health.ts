import { isSecretsError, type SecretStore } from "@flyte-secrets/core";
import type { Exchange } from "../rpc/node-handler.ts";
import { reply } from "../rpc/reply.ts";

const CHECK_TIMEOUT_MS = 2_000;

/** Answers whether the service can do its work now: 200, or 503 with the reason. */
export async function replyReadiness(exchange: Exchange, store: SecretStore, closing: boolean): Promise<void> {
  const reason = closing ? "shutting down" : await findFault(store);
  if (reason === undefined) reply(exchange, { status: 200, text: "OK" });
  else reply(exchange, { status: 503, text: `${reason}\n` });
}

async function findFault(store: SecretStore): Promise<string | undefined> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([store.check({ signal }), late]);
    return undefined;
  } catch (error) {
    const reason = isSecretsError(error) ? error.message : `no answer within ${CHECK_TIMEOUT_MS} ms`;
    return `store ${store.name}: ${reason}`;
  }
}
