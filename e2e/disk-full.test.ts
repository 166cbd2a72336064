import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runStoreWorker } from "@flyte-secrets/store/testing";
import { expect, test } from "vitest";

/** A small file system of its own needs a mount namespace, which some containers refuse even to root. */
const canMount = spawnSync("unshare", ["-rm", "true"]).status === 0;

test.skipIf(!canMount)(
  "on a disk that is really full a write is refused and nothing acknowledged is lost",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-full-"));
    try {
      const { lines, errors } = await runStoreWorker({
        command: "write",
        directory,
        count: 3_000,
        wrapper: ["unshare", "-rm"],
        prelude: `mount -t tmpfs -o size=2m,mode=700 none ${directory}`,
      });
      expect(errors).toBe("");
      const [kept, refused, ...written] = lines.toReversed();
      expect(refused).toBe("refused store_full");
      const names = new Set(written.slice(0, -1).map((line) => line.split(" ")[0]));
      expect(names.size).toBeGreaterThan(20);
      expect(kept).toBe(`kept ${names.size} of ${names.size}`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
