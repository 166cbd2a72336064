import { createLogger, type LogDestination } from "@flyte-secrets/http";

/** The program's own logger, for tests that read what is logged. */
export function testLogger(destination: LogDestination, level: "debug" | "warn" | "error" = "debug") {
  return createLogger({ level, "show-source": false, mute: false, formatter: { type: "json" } }, destination);
}
