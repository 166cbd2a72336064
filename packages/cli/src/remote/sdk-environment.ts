import type { Host } from "../host.ts";

/** What the SDK looks at, of a command's host; its warnings go to standard error. */
export function sdkEnvironment({ env, home, cwd, stderr }: Host) {
  return { variables: env, home, cwd, warn: (message: string) => void stderr.write(`warning: ${message}\n`) };
}
