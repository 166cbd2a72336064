import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { describeRefusedMount } from "./mount-warning.ts";

test.each([
  [
    "Ubuntu's AppArmor forbids it",
    { "kernel/apparmor_restrict_unprivileged_userns": "1", "user/max_user_namespaces": "96364" },
    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 allows it",
  ],
  [
    "Debian's setting forbids it",
    { "kernel/apparmor_restrict_unprivileged_userns": "0", "kernel/unprivileged_userns_clone": "0" },
    "sudo sysctl kernel.unprivileged_userns_clone=1 allows it",
  ],
  [
    "there may be no namespaces",
    { "kernel/unprivileged_userns_clone": "1", "user/max_user_namespaces": "0" },
    "sudo sysctl user.max_user_namespaces=10000 allows it",
  ],
  ["no setting forbids it", {}, "it needs util-linux 2.35 and user namespaces, which containers often forbid"],
  ["only the mount fails", {}, "sudo mkdir -p /etc/flyte/secrets, once, allows it", "mount: view: wrong fs type"],
])("where %s, says what to change", async (_, values, remedy, refusal = "unshare failed") => {
  const settings = createTemporaryDirectory();
  for (const [path, value] of Object.entries(values)) {
    mkdirSync(dirname(join(settings, path)), { recursive: true });
    writeFileSync(join(settings, path), `${value}\n`);
  }
  const warning = (what: string) =>
    "the files are in $FLYTE_SECRETS_DEFAULT_DIR and not at /etc/flyte/secrets, where this system does not let them " +
    `be mounted (${refusal}): ${what}, and --no-mount does without`;
  expect(await describeRefusedMount(refusal, { isRoot: false, settings })).toBe(warning(remedy));
  // For whom none of these settings counts.
  expect(await describeRefusedMount(refusal, { isRoot: true, settings })).toBe(
    warning("root needs the capability SYS_ADMIN, and to be able to make that directory"),
  );
});
