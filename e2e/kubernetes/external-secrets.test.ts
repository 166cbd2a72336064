// The recipe of docs/gitops.md for External Secrets, with its own controller on a real API server.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesSecretName, SecretValue } from "@flyte-secrets/core";
import { listRequest, readText } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test, vi } from "vitest";
import { goModule } from "../support/go-program.ts";
import { cacheDirectory } from "../support/python-environment.ts";
import { describeWith, type Requirement } from "../support/requirement.ts";
import { startProgram } from "../support/start-program.ts";
import { freePort, requireKubernetes } from "./cluster.ts";
import { id, useStores } from "./store-fixture.ts";

const VERSION = "v0.16.2";
const folder = join(cacheDirectory, `external-secrets-${VERSION}`);
const CONTROLLER = join(folder, "external-secrets");
const PAGE = readFileSync(join(import.meta.dirname, "../../docs/gitops.md"), "utf8");
const NAME = "shop-development-api-key";

/** The controller, with `CI=true` built where it is missing. */
function requireExternalSecrets(): Requirement {
  const build = [join(import.meta.dirname, "build-external-secrets.sh"), VERSION, folder];
  if (!existsSync(CONTROLLER) && process.env.CI === "true") execFileSync("bash", build, { stdio: "inherit" });
  if (existsSync(CONTROLLER)) return { missing: false };
  return { missing: true, what: `External Secrets ${VERSION}`, enable: `bash ${build.join(" ")} (needs Go)` };
}

const kubernetes = requireKubernetes();

describeWith(
  kubernetes.missing ? kubernetes : requireExternalSecrets(),
  "External Secrets on a real API server",
  () => {
    const { cluster, setUp } = useStores();

    /** The controller and the ClusterSecretStore of the page, in which the secret has this value. */
    async function startController() {
      const bases = join(goModule("github.com/external-secrets/external-secrets", VERSION), "config/crds/bases");
      await cluster().kubectl(["apply", "--server-side", "-k", bases]);
      for (const kind of ["externalsecrets", "clustersecretstores"]) {
        await cluster().kubectl([
          "wait",
          "--for=condition=Established",
          "--timeout=60s",
          `crd/${kind}.external-secrets.io`,
        ]);
      }
      const off = ["cluster-external-secret", "cluster-push-secret", "push-secret"].map(
        (name) => `--enable-${name}-reconciler=false`,
      );
      const args = [...off, `--metrics-addr=127.0.0.1:${await freePort()}`, "--loglevel=info"];
      const env = { KUBECONFIG: cluster().adminKubeconfig, HOME: cluster().directory };
      const controller = await startProgram(CONTROLLER, args, { ready: /"Starting workers"/, env });
      onTestFinished(() => controller.stop());
    }

    const keep = (value: string) =>
      cluster().kubectl(
        ["apply", "-f", "-"],
        JSON.stringify({
          apiVersion: "external-secrets.io/v1",
          kind: "ClusterSecretStore",
          metadata: { name: "company-vault" },
          spec: { provider: { fake: { data: [{ key: "shop/api-key", value }] } } },
        }),
      );

    test("what it makes by the page's recipe is the secret, stays its own, and follows the vault", async () => {
      const { store, kubectl } = await setUp({ namespace: "flyte" });
      await startController();
      await keep("of the vault");
      const [, recipe = ""] = /^## External Secrets\n[\s\S]*?```yaml\n([\s\S]*?)```/m.exec(PAGE) ?? [];
      await kubectl(["apply", "-f", "-"], recipe);
      const apiKey = id("development", "shop");
      const value = () => readText(store, apiKey);
      const until = (expected: string) =>
        vi.waitUntil(async () => (await value()) === expected, { timeout: 60_000, interval: 200 });
      await until("of the vault");
      expect((await store.list(listRequest())).entries).toMatchObject([{ id: apiKey, type: "generic" }]);
      const refused = {
        code: "call_refused",
        message: expect.stringContaining(
          `secret api-key is kept by ExternalSecret ${NAME}: change it there, as a change of Secret ${kubernetesSecretName(apiKey)} `,
        ),
      };
      await expect(store.update(apiKey, SecretValue.fromText("ours"))).rejects.toMatchObject(refused);
      await expect(store.delete(apiKey)).rejects.toMatchObject(refused);
      // What --force writes is undone, as the message says.
      await store.update(apiKey, SecretValue.fromText("ours"), { force: true });
      await until("of the vault");
      await keep("new in the vault");
      await kubectl(["annotate", "externalsecret", NAME, "force-sync=now"]);
      await until("new in the vault");
    });
  },
);
