import { createSign, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SecretValue } from "@flyte-secrets/core";
import { generic, listRequest, readText } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type AccountRules, requireKubernetes } from "./cluster.ts";
import { connect, id, useStores } from "./store-fixture.ts";

describeWith(requireKubernetes(), "the Kubernetes store when a real API server refuses", () => {
  const { cluster, openIn, setUp } = useStores();

  const secret = id("", "");
  const account = (name: string, ...rules: AccountRules["rules"][number][]) =>
    cluster().createAccount({ namespace: "default", name, rules });
  const secretsRule = (...verbs: string[]) => ({ apiGroups: [""], resources: ["secrets"], verbs });

  test("a namespace that is missing is made once, by however many; without the permission the error names it", async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openIn("made-at-start")));
    for (const store of stores) await store.close();
    const rule = { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] };
    const client = connect(await account("no-create", rule));
    await expect(openIn("never-made", { client })).rejects.toMatchObject({
      code: "credentials_refused",
      message: expect.stringMatching(
        /^namespace never-made .* does not exist, and we have no permission to create namespaces/,
      ),
    });
  });

  test("an account that may do nothing is told which permission is missing", async () => {
    const { store } = await setUp({ client: connect(await account("nothing")) });
    const message = (verb: string) => expect.stringMatching(`permission to ${verb} secrets in namespace store-`);
    const refusal = (verb: string) => ({ code: "credentials_refused", message: message(verb) });
    await expect(store.create(secret, generic("x"))).rejects.toMatchObject(refusal("create"));
    await expect(store.get(secret)).rejects.toMatchObject(refusal("get"));
    await expect(store.list(listRequest())).rejects.toMatchObject(refusal("list"));
    await expect(store.check()).rejects.toMatchObject(refusal("get"));
  });

  test("an account with the narrowest rights does everything", async () => {
    const rights = secretsRule("create", "get", "list", "watch", "update", "delete");
    const { store } = await setUp({ client: connect(await account("narrow", rights)), namespace: "default" });
    await store.create(secret, generic("x"));
    await store.update(secret, SecretValue.fromText("y"));
    expect(await readText(store, secret)).toBe("y");
    await store.delete(secret);
    await store.check();
  });

  test("a quota, a namespace on its way out and one that is gone are refusals that say so", async () => {
    const { store, kubectl, namespace } = await setUp();
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "few" },
      spec: { hard: { secrets: "1" } },
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify(quota));
    const counted = { status: { hard: { secrets: "1" }, used: { secrets: "1" } } };
    await kubectl([
      "patch",
      "resourcequota",
      "few",
      "--subresource=status",
      "--type=merge",
      "-p",
      JSON.stringify(counted),
    ]);
    await expect
      .poll(() => store.create(id("", "", `k-${randomUUID()}`), generic("x")).catch((error: unknown) => error))
      .toMatchObject({
        code: "too_many_secrets",
        message: expect.stringContaining(`a ResourceQuota of namespace ${namespace} is used up`),
      });
    await kubectl(["delete", "namespace", namespace, "--wait=false"]);
    await expect(store.create(secret, generic("x"))).rejects.toMatchObject({
      code: "call_refused",
      message: expect.stringContaining(`namespace ${namespace} is being deleted`),
    });
    // No controller is here to finish the deletion.
    const raw = JSON.stringify({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
      spec: { finalizers: [] },
    });
    await cluster().kubectl(["replace", "--raw", `/api/v1/namespaces/${namespace}/finalize`, "-f", "-"], raw);
    await expect(store.create(secret, generic("x"))).rejects.toMatchObject({
      code: "call_refused",
      message: expect.stringContaining(`namespace ${namespace} does not exist. Create it.`),
    });
  });

  /**
   * Of a service account, signed as the API server does it, which itself makes none that ends sooner than in ten
   * minutes. It takes each for a minute longer than it says.
   */
  async function signToken(name: string, seconds: number): Promise<string> {
    const account = JSON.parse(await cluster().kubectl(["get", "serviceaccount", name, "-n", "default", "-o", "json"]));
    const now = Math.floor(Date.now() / 1000);
    const issuer = "https://kubernetes.default.svc";
    const claims = {
      iss: issuer,
      aud: [issuer],
      sub: `system:serviceaccount:default:${name}`,
      iat: now - 600,
      nbf: now - 600,
      exp: now - 60 + seconds,
      "kubernetes.io": { namespace: "default", serviceaccount: { name, uid: account.metadata.uid } },
    };
    const parts = [{ alg: "RS256" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    const key = readFileSync(join(cluster().directory, "service-accounts.key"));
    return [...parts, createSign("sha256").update(parts.join(".")).sign(key, "base64url")].join(".");
  }

  test("an expired token is a refusal, and the one that rotation puts in its place is read at once", async () => {
    await account("rotated", secretsRule("create", "get", "list", "watch", "update", "delete"));
    const tokenFile = join(cluster().directory, "rotated.token");
    writeFileSync(tokenFile, await signToken("rotated", 10));
    const kubeconfig = join(cluster().directory, "rotated.kubeconfig");
    const config = JSON.parse(readFileSync(cluster().adminKubeconfig, "utf8"));
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users: [{ name: "test", user: { tokenFile } }] }));
    const { store, namespace } = await setUp({ client: connect(kubeconfig), namespace: "default" });
    await store.create(secret, generic("x"));
    const told: string[] = [];
    onTestFinished(store.watch((change) => void told.push(change.kind)));
    await store.synced();

    const outcome = () => store.get(secret).catch((error: unknown) => error);
    await expect.poll(outcome, { timeout: 30_000 }).toMatchObject({
      code: "credentials_refused",
      message: expect.stringContaining("refuses our credentials"),
    });
    writeFileSync(tokenFile, await signToken("rotated", 600));
    expect(await readText(store, secret)).toBe("x");
    const admin = await openIn(namespace);
    await admin.delete(secret);
    await admin.close();
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(["reset", "delete"]);
  });

  test("an API server that is too busy for us is asked again when it says, and the call succeeds", async () => {
    const name = "no-seats";
    const statuses: number[] = [];
    const kubeconfig = await account(name, secretsRule("get"));
    const client = connect(kubeconfig, ({ status }) => void statuses.push(status));
    const { store } = await setUp({ client, namespace: "default" });
    const limited = { nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0 };
    const level = { type: "Limited", limited: { ...limited, limitResponse: { type: "Reject" } } };
    const subjects = [{ kind: "ServiceAccount", serviceAccount: { namespace: "default", name } }];
    const anything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
    const schema = {
      matchingPrecedence: 10,
      priorityLevelConfiguration: { name },
      rules: [{ subjects, resourceRules: [anything] }],
    };
    const flow = { apiVersion: "flowcontrol.apiserver.k8s.io/v1", metadata: { name } };
    const items = [
      { ...flow, kind: "PriorityLevelConfiguration", spec: level },
      { ...flow, kind: "FlowSchema", spec: schema },
    ];
    await cluster().kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));

    // The API server takes the limit up a moment later, and even then lets a call pass that comes alone.
    const asked: Promise<unknown>[] = [];
    while (!statuses.includes(429)) {
      for (let call = 0; call < 5; call++) asked.push(store.get(secret));
      await delay(100);
    }
    await cluster().kubectl(["delete", "flowschema", name]);
    expect(await Promise.all(asked)).toEqual(asked.map(() => undefined));
    expect(statuses.at(-1)).toBe(404);
  });
});
