import { escapeControls } from "@flyte-secrets/core";

/** One log entry, as pino writes it in JSON, as a line for people: time, level, message, then `key=value`; safe for a terminal. */
export function formatLogText(json: string): string {
  // Only this package's logger writes here: an object with these three members in every entry.
  const { level, time, msg, ...rest } = JSON.parse(json) as { level: string; time: string; msg?: string };
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${showField(value)}`);
  return `${escapeControls([time, level.toUpperCase().padEnd(5), msg, ...fields].filter((part) => part !== undefined).join(" "))}\n`;
}

function showField(value: unknown): string {
  return typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}
