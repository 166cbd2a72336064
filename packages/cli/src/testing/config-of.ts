import { type Config, loadConfig } from "@flyte-secrets/config";

/** The configuration of these flags, with no file, no environment and an empty home. */
export function configOf(flags: Readonly<Record<string, string>>): Config {
  return loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/nowhere", cwd: "/" });
}
