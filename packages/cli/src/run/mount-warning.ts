import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SECRETS_DIRECTORY } from "@flyte-secrets/inject";

/** Settings of Linux, each with the value by which users can't make namespaces, and one by which they can. */
const SETTINGS = [
  { name: "kernel.apparmor_restrict_unprivileged_userns", forbids: "1", allows: "0" },
  { name: "kernel.unprivileged_userns_clone", forbids: "0", allows: "1" },
  { name: "user.max_user_namespaces", forbids: "0", allows: "10000" },
];

interface System {
  readonly isRoot: boolean;
  /** Where the settings are. */
  readonly settings: string;
}

const THIS_SYSTEM: System = { isRoot: process.getuid?.() === 0, settings: "/proc/sys" };

/** Says that the files aren't at `/etc/flyte/secrets` and why, where they are, and what can be done about it. */
export async function describeRefusedMount(refusal: string, system = THIS_SYSTEM): Promise<string> {
  return (
    `the files are in $FLYTE_SECRETS_DEFAULT_DIR and not at ${SECRETS_DIRECTORY}, where this system does not let them ` +
    `be mounted (${refusal}): ${await remedy(refusal, system)}, and --no-mount does without`
  );
}

async function remedy(refusal: string, { isRoot, settings }: System): Promise<string> {
  if (isRoot) return "root needs the capability SYS_ADMIN, and to be able to make that directory";
  for (const { name, forbids, allows } of SETTINGS) {
    const value = await readFile(join(settings, name.replaceAll(".", "/")), "utf8").catch(() => "");
    if (value.trim() === forbids) return `sudo sysctl ${name}=${allows} allows it`;
  }
  // A user namespace, but no overlay: an old kernel, or other mounts in /etc.
  if (refusal.startsWith("mount: ")) return `sudo mkdir -p ${SECRETS_DIRECTORY}, once, allows it`;
  return "it needs util-linux 2.35 and user namespaces, which containers often forbid";
}
