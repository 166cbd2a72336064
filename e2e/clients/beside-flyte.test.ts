import { join } from "node:path";
import { encodeSecretId, imagePullLabels, imagePullSecretName, type SecretId } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, requireKubernetes, startCluster } from "../kubernetes/cluster.ts";
import { embeddedStore, kubernetesStore } from "../support/each-store.ts";
import { type FlyteCommand, flyteCommand } from "../support/flyte-command.ts";
import { FLYTE_VERSION, requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { flytesSecret } from "../support/flytes-secret.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const FLYTE_SECRETS = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const NAMESPACE = "flyte";
const PROJECT = ["--project", "p", "--domain", "development"];
const DOMAIN = ["--domain", "development"];

const id = (name: string, domain = "", project = ""): SecretId => ({ org: "flyte", domain, project, name });
const auths = JSON.stringify({ auths: { "registry.example": { auth: btoa("u:p") } } });

// Flyte's own service can't be built here. What it writes and reads is known, so kubectl stands for it: it puts objects
// of exactly that form, and looks whether those that were written here are of it.
describeWith(requireKubernetes(), "the Kubernetes store", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
  });
  afterAll(() => cluster?.close());

  const kubectl = (...args: string[]) => cluster.kubectl([`--namespace=${NAMESPACE}`, ...args]);
  const put = (secret: SecretId, value: string | Buffer) =>
    cluster.kubectl([`--namespace=${NAMESPACE}`, "create", "-f", "-"], JSON.stringify(flytesSecret(secret, value)));

  describeWith(requireFlyte(), `flyte ${FLYTE_VERSION}, its command beside Flyte's own service: plain`, () => {
    let here: FlyteServer;
    let there: FlyteServer;
    let flyte: FlyteCommand;
    beforeAll(async () => {
      const { flags } = await kubernetesStore(cluster, NAMESPACE);
      [here, there] = await Promise.all([startFlyteServer("plain", flags), startFlyteServer("plain", flags)]);
      flyte = flyteCommand(FLYTE_VERSION, here);
    });
    afterAll(async () => {
      expect([await here.close(), await there.close()]).toEqual([{ exitCode: 0 }, { exitCode: 0 }]);
    });

    const find = async (name: string): Promise<KubeSecret | undefined> => {
      const found = await kubectl("get", "secret", name, "--ignore-not-found", "-o", "json");
      return found === "" ? undefined : JSON.parse(found);
    };

    it("what Flyte wrote: is listed and got at its scope, updated in its form, and deleted", async () => {
      const scopes = [
        { secret: id("theirs"), flags: [] },
        { secret: id("theirs", "development"), flags: DOMAIN },
        { secret: id("theirs", "development", "p"), flags: PROJECT },
      ];
      for (const { secret } of scopes) await put(secret, Buffer.from([0, 255]));
      expect(await flyte.list()).toEqual(["//theirs", "/development/theirs", "p/development/theirs"]);
      await Promise.all(
        scopes.map(async ({ secret: { name, domain, project }, flags }) => {
          expect((await flyte.get(name, ...flags)).id).toEqual({
            organization: "testorg",
            name,
            ...(domain !== "" && { domain }),
            ...(project !== "" && { project }),
          });
        }),
      );

      for (const { secret } of scopes) {
        const { name } = flytesSecret(secret, "").metadata;
        const before = await find(name);
        await update(here, secret, "changed here");
        const after = await find(name);
        expect(withoutServersFields(after)).toEqual(flytesSecret(secret, "changed here"));
        expect([after?.metadata.uid, after?.metadata.creationTimestamp]).toEqual([
          before?.metadata.uid,
          before?.metadata.creationTimestamp,
        ]);
      }

      await Promise.all(scopes.map(({ flags }) => flyte.succeed("delete", "secret", "theirs", ...flags)));
      expect(JSON.parse(await kubectl("get", "secrets", "-o", "json")).items).toEqual([]);
    });

    it("what is written here: is what Flyte's service would have written, no more and no less", async () => {
      const scopes = [
        { secret: id("ours"), flags: [] },
        { secret: id("ours", "development"), flags: DOMAIN },
        { secret: id("ours", "development", "p"), flags: PROJECT },
      ];
      await Promise.all(scopes.map(({ flags }) => flyte.succeed("create", "secret", "ours", "--value", "v", ...flags)));
      for (const { secret } of scopes) {
        const expected = flytesSecret(secret, "v");
        expect(withoutServersFields(await find(expected.metadata.name))).toEqual(expected);
      }
    });

    it("an image-pull secret: is Flyte's Secret with one label more, and one beside it that Kubernetes pulls with", async () => {
      const secret = id("registry");
      const credentials = ["--registry", "registry.example", "--username", "u", "--password", "p"];
      await flyte.succeed("create", "secret", "registry", "--type", "image_pull", ...credentials);
      const { metadata, ...rest } = flytesSecret(secret, auths);
      const found = withoutServersFields(await find(metadata.name));
      expect(JSON.parse(Buffer.from(found.data?.[encodeSecretId(secret)] ?? "", "base64").toString())).toEqual(
        JSON.parse(auths),
      );
      expect({ ...found, data: rest.data }).toEqual({
        ...rest,
        metadata: { ...metadata, labels: { ...metadata.labels, "app.flyte.org/secret-type": "image-pull-secret" } },
      });
      const twin = withoutServersFields(await find(imagePullSecretName(secret)));
      expect(twin).toEqual({
        apiVersion: "v1",
        kind: "Secret",
        type: "kubernetes.io/dockerconfigjson",
        metadata: { name: imagePullSecretName(secret), labels: imagePullLabels(secret) },
        data: { ".dockerconfigjson": Object.values(found.data ?? {})[0] },
      });
    });

    it("two services over one namespace: each sees at once what the other wrote, changed and deleted", async () => {
      const other = flyteCommand(FLYTE_VERSION, there);
      await flyte.succeed("create", "secret", "shared", "--value", "first", ...PROJECT);
      const again = await other.run("create", "secret", "shared", "--value", "second", ...PROJECT);
      expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Resource already exists.") });
      await update(there, id("shared", "development", "p"), "changed there");
      const { name } = flytesSecret(id("shared", "development", "p"), "").metadata;
      expect(withoutServersFields(await find(name))).toEqual(
        flytesSecret(id("shared", "development", "p"), "changed there"),
      );
      await other.succeed("delete", "secret", "shared", ...PROJECT);
      expect(await flyte.run("get", "secret", "shared", ...PROJECT)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("secret shared not found"),
      });
    });
  });

  describe("kubectl and our import: plain with token", () => {
    it("what Flyte wrote: moves to another store, every scope in one dump", async () => {
      await kubectl("delete", "secrets", "--all");
      const scopes = [id("moved"), id("moved", "staging"), id("moved", "staging", "q")];
      const value = ({ domain, project }: SecretId) => Buffer.from([0, 255, domain.length, project.length]);
      for (const secret of scopes) await put(secret, value(secret));
      const dump = await kubectl("get", "secrets", "-l", "app.flyte.org/managed=true", "-o", "yaml");
      const serve = await startServe();
      try {
        const args = [FLYTE_SECRETS, "import", "-", "--format", "kubernetes"];
        const imported = await runProgram(process.execPath, args, { env: serve.env, input: dump });
        expect(imported, imported.stderr).toMatchObject({ exitCode: 0 });
        for (const secret of scopes) expect(await embeddedStore.readValue(serve, secret)).toEqual(value(secret));
      } finally {
        await serve.close();
      }
    });
  });
});

/** Flyte's clients have no update, so this is what its REST clients send. */
async function update({ serve }: FlyteServer, secret: SecretId, value: string): Promise<void> {
  const { name, domain, project } = secret;
  const answer = await fetch(`${serve.endpoint}/secrets/api/v1/name/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: { domain, project }, secret_spec: { string_value: value } }),
  });
  expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 200, body: "{}" });
}

/** A Secret as it was sent: without what the API server says of each. */
function withoutServersFields(secret: KubeSecret | undefined): KubeSecret {
  if (secret === undefined) throw new Error("there is no such Secret");
  const { namespace, uid, resourceVersion, creationTimestamp, ...metadata } = secret.metadata;
  return { ...secret, metadata };
}
