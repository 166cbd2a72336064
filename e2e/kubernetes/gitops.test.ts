// The recipes of docs/gitops.md for Sealed Secrets and Argo CD on a real API server (External Secrets:
// external-secrets.test.ts). kubeseal is the program itself and opens what it sealed by the code that its controller
// opens it with. Argo CD is too large to be built here: what it applies is applied under its name.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesSecretName, SecretValue } from "@flyte-secrets/core";
import { createCertificate } from "@flyte-secrets/testkit";
import { listRequest, readText } from "@flyte-secrets/testkit/vitest";
import { beforeAll, expect, test } from "vitest";
import { type GoProgram, goModule, goProgram, requireGoProgram } from "../support/go-program.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { requireKubernetes } from "./cluster.ts";
import { id, useStores } from "./store-fixture.ts";

const SEALED_SECRETS = "github.com/bitnami-labs/sealed-secrets";
const KUBESEAL: GoProgram = { name: "kubeseal", path: `${SEALED_SECRETS}/cmd/kubeseal`, version: "v0.27.1" };
const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const PAGE = readFileSync(join(import.meta.dirname, "../../docs/gitops.md"), "utf8");
const API_KEY = id("development", "shop");
const NAME = kubernetesSecretName(API_KEY);

/** The first block of code under a heading of the page. */
function recipe(heading: string): string {
  const [, block] = new RegExp(`^## ${heading}\\n[^]*?\`\`\`\\w+\\n([^]*?)\`\`\``, "m").exec(PAGE) ?? [];
  return block ?? expect.fail(`the page has no recipe for ${heading}`);
}

const kubernetes = requireKubernetes();

describeWith(kubernetes.missing ? kubernetes : requireGoProgram(KUBESEAL), "the recipes of the page on GitOps", () => {
  const { cluster, setUp } = useStores();
  let programs: string;
  let key: string;

  beforeAll(async () => {
    const resource = join(
      goModule(SEALED_SECRETS, KUBESEAL.version),
      "helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml",
    );
    await cluster().kubectl(["apply", "--server-side", "-f", resource]);
    await cluster().kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd/sealedsecrets.bitnami.com"]);
    const { cert, key: pem } = await createCertificate(Date.now(), { isRsa: true });
    key = join(cluster().directory, "sealing.key");
    writeFileSync(key, pem, { mode: 0o600 });
    writeFileSync(join(cluster().directory, "sealing.crt"), cert);
    programs = join(cluster().directory, "programs");
    mkdirSync(programs);
    const calls = {
      "flyte-secrets": `"${process.execPath}" "${COMMAND}"`,
      kubectl: `"${join(cluster().programs, "kubectl")}" --kubeconfig="${cluster().adminKubeconfig}"`,
      kubeseal: `"${goProgram(KUBESEAL)}" --cert "${join(cluster().directory, "sealing.crt")}"`,
    };
    for (const [name, call] of Object.entries(calls)) {
      writeFileSync(join(programs, name), `#!/bin/sh\nexec ${call} "$@"\n`);
      chmodSync(join(programs, name), 0o755);
    }
  });

  /** The store over the page's namespace, emptied. */
  async function openPage() {
    const at = await setUp({ namespace: "flyte" });
    await at.kubectl(["delete", "secrets", "--all"]);
    const applyAs = (manager: string, object: object) =>
      at.kubectl(
        ["apply", "--server-side", "--force-conflicts", `--field-manager=${manager}`, "-f", "-"],
        JSON.stringify(object),
      );
    return { ...at, applyAs };
  }
  type Page = Awaited<ReturnType<typeof openPage>>;

  /** Whether the service serves the secret, and leaves it to who keeps it. */
  async function expectKept({ store }: Page, { value, owner }: { value: string; owner: string }) {
    expect((await store.list(listRequest())).entries).toMatchObject([{ id: API_KEY, type: "generic" }]);
    expect(await readText(store, API_KEY)).toBe(value);
    const refused = { code: "call_refused", message: expect.stringContaining(`secret api-key is kept by ${owner}: `) };
    await expect(store.update(API_KEY, SecretValue.fromText("ours"))).rejects.toMatchObject(refused);
    await expect(store.delete(API_KEY)).rejects.toMatchObject(refused);
    expect(await readText(store, API_KEY)).toBe(value);
  }

  test("Sealed Secrets: what the page's commands seal is opened to the secret", async () => {
    const page = await openPage();
    const cwd = cluster().directory;
    writeFileSync(join(cwd, "api-key.txt"), "sealed value");
    const env = { PATH: `${programs}:${process.env.PATH}` };
    const sealed = await runProgram("bash", ["-euo", "pipefail", "-c", recipe("Sealed Secrets")], { cwd, env });
    expect(sealed).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(cwd, "api-key.sealed.yaml"), "utf8")).not.toMatch(/sealed value|c2VhbGVkIHZhbHVl/);
    const resource = await page.kubectl(["get", "sealedsecret", NAME, "-o", "json"]);
    const opened = await runProgram(goProgram(KUBESEAL), ["--recovery-unseal", "--recovery-private-key", key], {
      input: resource,
    });
    expect(opened).toMatchObject({ exitCode: 0 });
    await page.applyAs("controller", JSON.parse(opened.stdout));
    await expectKept(page, { value: "sealed value", owner: `SealedSecret ${NAME}` });
  });

  test("Argo CD: what it applies is left to it, what the service wrote isn't pruned, and its values are the service's after --force", async () => {
    const page = await openPage();
    const other = id("development", "shop", "written");
    await page.store.create(other, { value: SecretValue.fromText("w"), type: "generic" });
    const form = JSON.parse(
      (
        await runProgram(process.execPath, [
          COMMAND,
          "name",
          "api-key",
          "-p",
          "shop",
          "-d",
          "development",
          "-o",
          "json",
        ])
      ).stdout,
    );
    const made = (labels: object, rest: object) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: form.name, namespace: "flyte", labels: { ...form.labels, ...labels } },
      ...rest,
    });
    const stringData = { [form.dataKey]: "of the repository" };
    const data = { [form.dataKey]: Buffer.from("of the repository").toString("base64") };
    // Without its tracking, which a user can turn off, its field manager tells.
    for (const written of [data, stringData]) {
      await page.applyAs("argocd-controller", made({}, written === data ? { data } : { stringData }));
      await expect(page.store.delete(API_KEY)).rejects.toMatchObject({
        message: expect.stringContaining("kept by field manager argocd-controller, which has applied it"),
      });
      await page.kubectl(["delete", "secret", form.name]);
    }
    await page.applyAs("argocd-controller", made({}, { data }));
    await page.store.update(API_KEY, SecretValue.fromText("ours"), { force: true });
    await page.store.update(API_KEY, SecretValue.fromText("ours again"));
    await page.applyAs("argocd-controller", made({ "app.kubernetes.io/instance": "platform" }, { data }));
    await expect(page.store.update(API_KEY, SecretValue.fromText("ours"))).rejects.toMatchObject({
      message: expect.stringContaining("kept by application platform"),
    });
    await page.kubectl(["delete", "secrets", "-l", "app.kubernetes.io/instance=platform"]);
    expect((await page.store.list(listRequest())).entries).toMatchObject([{ id: other }]);
  });
});
