/** A time to the minute, in UTC: `2026-11-27 22:09Z`. Empty when there is none. */
export function shortTime(time: Date | undefined): string {
  return time === undefined ? "" : `${time.toISOString().slice(0, 16).replace("T", " ")}Z`;
}
