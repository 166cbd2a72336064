/** What a timer of Node's can wait for, 24 days: it makes 1 ms of more, and says so on standard error each time. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** In milliseconds; of gRPC's six, those of which eight digits can be more than {@link MAX_TIMEOUT_MS}. */
const GRPC_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/**
 * Makes the longest time limit of one in a request's headers, of Connect or gRPC, that is longer. What is none is left
 * for Connect to refuse.
 */
export function capTimeout(headers: Headers): void {
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null && /^\d{1,10}$/.test(connect) && Number(connect) > MAX_TIMEOUT_MS) {
    headers.set("connect-timeout-ms", String(MAX_TIMEOUT_MS));
  }
  const [, digits, unit = ""] = /^(\d{1,8})([HMS])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (Number(digits) * (GRPC_UNITS[unit] ?? 0) > MAX_TIMEOUT_MS) {
    headers.set("grpc-timeout", `${Math.floor(MAX_TIMEOUT_MS / 1_000)}S`);
  }
}
