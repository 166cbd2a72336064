import { createHash } from "node:crypto";
import {
  encodeSecretId,
  kubernetesSecretName,
  type SecretId,
  type SecretRequest,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { PodClaim, type RefusedClaim } from "../binding/pod-claim.ts";
import type { Refusal } from "../binding/scope-guard.ts";
import { ask } from "../testing/pod-review.ts";
import { ADMISSION_OPTIONS } from "../testing/webhook-options.ts";
import { createManagers, type ManagerName } from "./create-managers.ts";
import { createGroupRule, type GroupBinding } from "./secret-guard.ts";

const OWN: SecretId = { org: "flyte", domain: "d", project: "p", name: "k" };
const VICTIMS: SecretId = { ...OWN, project: "victim" };
const LABELS = { organization: "flyte", project: "p", domain: "d" };
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

interface Asking {
  readonly managers: ManagerName;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly groupBinding?: GroupBinding;
  readonly refusal?: Refusal;
  readonly warnOnly?: boolean;
  readonly onRefused?: (refused: RefusedClaim) => void;
  /** Whether Embedded's values may be in groups. */
  readonly hasGroups?: boolean;
  /** Neither claims nor ids are judged: `scopeBinding.mode: off`. */
  readonly isOff?: boolean;
}

/**
 * What becomes of a request: which manager serves it with which Secret, or why none does. Global has every variable.
 */
async function outcome(request: SecretRequest, asking: Asking): Promise<string> {
  const { managers, namespace = "x", labels = LABELS, groupBinding = {}, refusal, isOff = false } = asking;
  const { hasGroups = false } = asking;
  const options = {
    managers: { ...ADMISSION_OPTIONS.managers, order: [managers], embedded: { hasGroups } },
    guard: { ...ADMISSION_OPTIONS.guard, groupBinding },
  };
  const found = { found: true, value: SecretValue.fromText("v") } as const;
  const configured = createManagers(options, {
    lookup: {
      find: (scope, name) => ({ ...found, id: { ...scope, name }, level: "project", attempts: [] }),
      findInGroup: async (group, key) => ({ ...found, label: `${group}/${key}` }),
    },
    global: { readVariable: (name) => name, readFile: () => undefined },
  });
  const creation = { pod: { metadata: { labels }, spec: { containers: [] } }, namespace, creator: NOBODY };
  const { warnOnly = false, onRefused } = asking;
  const claim = isOff ? undefined : new PodClaim(creation, refusal, { warnOnly, onRefused });
  const reasons: string[] = [];
  for (const manager of configured) {
    if (manager.name === "Global" && managers !== "Global") continue;
    const injection = await manager.inject(request, {
      labels,
      namespace,
      variables: { prefix: "_", style: "raw" },
      claim,
    });
    if (injection.injected) return `${manager.name} serves`;
    reasons.push(`${manager.name}: ${injection.reason}`);
  }
  return reasons.join("; ");
}

const NOBODY = { username: "u", groups: [] };
const REFUSAL: Refusal = { rule: "template", error: new SecretsError("claim_refused", "not yours") };
const FOREIGN = { code: "claim_refused", message: expect.stringContaining("the id of a secret that is neither") };

describe("a key that is an encoded id, with the K8s manager", () => {
  const K8S: Asking = { managers: "K8s" };

  it.each<[string, SecretId]>([
    ["of the pod's project", OWN],
    ["of its domain", { ...OWN, project: "" }],
    ["global", { ...OWN, project: "", domain: "" }],
    ["of its project, with a name that looks like more", { ...OWN, name: "x__project__victim__key__k" }],
  ])("is served when it is %s", async (_, id) => {
    expect(await outcome(ask(encodeSecretId(id)), K8S)).toBe("K8s serves");
    expect(await outcome(ask(encodeSecretId(id), { group: kubernetesSecretName(id) }), K8S)).toBe("K8s serves");
  });

  it.each<[string, SecretId]>([
    ["another project", VICTIMS],
    ["another domain", { ...OWN, domain: "other", project: "" }],
    ["another organization", { ...OWN, org: "other", project: "", domain: "" }],
    ["a project that begins like the pod's", { ...OWN, project: "p-2" }],
  ])("is refused when it is of %s, also by the name of its Secret as group", async (_, id) => {
    await expect(outcome(ask(encodeSecretId(id)), K8S)).rejects.toMatchObject(FOREIGN);
    const byName = ask(encodeSecretId(id), { group: kubernetesSecretName(id) });
    await expect(outcome(byName, K8S)).rejects.toMatchObject(FOREIGN);
  });

  it("is refused to a pod whose claim is refused, and to one without labels", async () => {
    await expect(outcome(ask(encodeSecretId(OWN)), { ...K8S, refusal: REFUSAL })).rejects.toBe(REFUSAL.error);
    await expect(outcome(ask(encodeSecretId(OWN)), { ...K8S, labels: {} })).rejects.toMatchObject(FOREIGN);
  });

  it.each([
    ["organization"],
    ["organization", "domain"],
    ["organization", "project"],
  ])("is refused to one with the labels %s alone, however broad it is", async (...names) => {
    const labels = Object.fromEntries(Object.entries(LABELS).filter(([name]) => names.includes(name)));
    const global = { ...OWN, project: "", domain: "" };
    for (const id of [global, { ...OWN, project: "" }]) {
      await expect(outcome(ask(encodeSecretId(id)), { ...K8S, labels })).rejects.toMatchObject(FOREIGN);
    }
  });

  it("is only noted with mode warn, once, and no matter with mode off", async () => {
    const refused: string[] = [];
    const onRefused = ({ refusal, warnOnly }: RefusedClaim) => void refused.push(`${refusal.rule} ${warnOnly}`);
    expect(await outcome(ask(encodeSecretId(VICTIMS)), { ...K8S, warnOnly: true, onRefused })).toBe("K8s serves");
    expect(refused).toEqual(["id true"]);
    expect(await outcome(ask(encodeSecretId(VICTIMS)), { ...K8S, isOff: true })).toBe("K8s serves");
  });

  it.each([
    ["U__ORG__FLYTE__DOMAIN__D__PROJECT__VICTIM__KEY__K"],
    ["u__org__flyte__key__k"],
    ["u__org__flyte__domain____project__victim__key__k"],
  ])("%s begins like one and is none", async (key) => {
    expect(await outcome(ask(key), { ...K8S, labels: {} })).toContain(
      "the key begins like the id of a secret and is none",
    );
  });
});

describe("a group that names a Secret of somebody else's", () => {
  const named = (group: string, namespace: string) => outcome(ask("k", { group }), { managers: "K8s", namespace });

  it.each([
    [md5(encodeSecretId(VICTIMS)), "flyte", "is called like those that hold the secrets of a scope"],
    ["flyte-secrets-token", "flyte", "belongs to the installation"],
    ["flyte-secrets-token", "installed", "belongs to the installation"],
    ["flyte-pod-webhook", "installed", "belongs to the installation"],
    ["flyte-pod-webhook-naming", "installed", "belongs to the installation"],
    [`flyte-secrets-${"0".repeat(32)}`, "x", "was written for other pods"],
    [`img-pull-${"0".repeat(16)}`, "x", "was written for other pods"],
  ])("%s in namespace %s %s", async (group, namespace, reason) => {
    expect(await named(group, namespace)).toBe(
      `K8s: Secret "${group}" of namespace "${namespace}" ${reason}` +
        (reason.startsWith("belongs")
          ? " (webhook.secretName, webhook.k8sSecretManager.protectedSecrets)"
          : reason.startsWith("was")
            ? ": ask for its secret by its own name"
            : ", and the key is not its id: ask for the secret by its own name"),
    );
  });

  it("is any other Secret elsewhere", async () => {
    for (const group of [md5("x"), "flyte-secrets-token", "flyte-pod-webhook", "db"]) {
      expect(await named(group, "x")).toBe("K8s serves");
    }
    expect(await named("db", "flyte")).toBe("K8s serves");
  });

  it("takes no id of the pod's own for another Secret's", async () => {
    const request = ask(encodeSecretId(OWN), { group: kubernetesSecretName(VICTIMS) });
    expect(await outcome(request, { managers: "K8s", namespace: "flyte" })).toContain("the key is not its id");
  });
});

describe("groupBinding", () => {
  const DB = { "p-d": ["db", "team-*"], "q-d": [], "*": ["shared"] };
  const notAllowed = (group: string, namespace: string) =>
    `group "${group}" is not among those that webhook.groupBinding allows in namespace "${namespace}"`;

  it.each([
    ["p-d", "db", true],
    ["p-d", "team-a", true],
    ["p-d", "team", false],
    ["p-d", "dbx", false],
    ["p-d", "DB", false],
    ["q-d", "db", false],
    ["x", "shared", true],
    ["x", "any", false],
    ["p-d", "shared", false],
    ["constructor", "any", false],
  ])("in namespace %s: group %s is allowed: %s", async (namespace, group, isAllowed) => {
    expect(await outcome(ask("k", { group }), { managers: "K8s", namespace, groupBinding: DB })).toBe(
      isAllowed ? "K8s serves" : `K8s: ${notAllowed(group, namespace)}`,
    );
  });

  it("leaves a namespace alone that is not listed, unless there is an entry for all others", async () => {
    const request = ask("k", { group: "any" });
    expect(await outcome(request, { managers: "K8s", groupBinding: { "p-d": ["db"] } })).toBe("K8s serves");
    expect(await outcome(request, { managers: "K8s", groupBinding: {} })).toBe("K8s serves");
  });

  it("has nothing to say of a request without a group, and Embedded nothing of groups", async () => {
    expect(await outcome(ask("k"), { managers: "K8s", groupBinding: { "*": [] } })).toBe("K8s serves");
    const request = ask("k", { group: "any" });
    expect(await outcome(request, { managers: "Embedded", groupBinding: { "*": [] } })).toBe("Embedded serves");
    const refused: Asking = { managers: "Embedded", refusal: REFUSAL };
    await expect(outcome(request, refused)).rejects.toBe(REFUSAL.error);
  });

  it.each<[string[], string, string, string | undefined]>([
    [["team"], "team", "password", undefined],
    [["team"], "TEAM", "password", 'group "TEAM" is not among those'],
    [["team"], "team", "B_DB_PASSWORD", 'that of group "TEAM_B" as well'],
    [["team_b"], "team_b", "password", 'that of group "TEAM" as well'],
    [["team", "team_b"], "team_b", "password", undefined],
    [["team*"], "team", "B_DB_PASSWORD", undefined],
    [["team-*"], "team-a", "b_c", undefined],
    [["team_a*"], "team_a", "b", 'that of group "TEAM" as well'],
    [["*"], "any_thing", "b_c", undefined],
    [["team"], "team", "_", undefined],
    [["team"], "team", "b/c", 'the key of a global secret can\'t have a "/"'],
    [["a"], "a/b", "c", 'group "a/b" is not among those'],
  ])("of Global goes by the variable: %j, group %s, key %s", async (groups, group, key, reason) => {
    const asking: Asking = { managers: "Global", groupBinding: { "team-a": groups }, namespace: "team-a" };
    const result = await outcome(ask(key, { group }), asking);
    if (reason === undefined) expect(result).toBe("Global serves");
    else expect(result).toContain(reason);
  });

  const ARN = "arn:aws:secretsmanager:eu-west-1:1:secret";
  const GCP = "projects/p/secrets";
  const VAULT = "https://v.vault.azure.net/secrets";
  it.each<[ManagerName, string, Partial<SecretRequest>, string | undefined]>([
    ["AWS", `${ARN}:team-a-*`, { group: `${ARN}:team-a-x` }, undefined],
    ["AWS", `${ARN}:team-a-*`, { group: `${ARN}:`, key: "team-a-x" }, undefined],
    ["AWS", `${ARN}:team-a-*`, { group: `${ARN}:`, key: "team-b-x" }, "is not among those"],
    ["AWS", "db", { group: "db:" }, undefined],
    ["GCP", `${GCP}/team-a-*`, { group: `${GCP}/team-a-x`, groupVersion: "1" }, undefined],
    ["GCP", `${GCP}/team-a-*`, { group: `${GCP}/team-a-x/../team-b`, groupVersion: "1" }, '".." in its path'],
    [
      "GCP",
      `${GCP}/team-a-*`,
      { group: `${GCP}/team-a-x`, groupVersion: "../../team-b/versions/1" },
      "group_version has",
    ],
    ["GCP", `${GCP}/team-a-*`, { group: `${GCP}/team-b`, groupVersion: "1" }, "is not among those"],
    ["Azure", `${VAULT}/team-a-*`, { group: `${VAULT}/team-a-x/` }, undefined],
    ["Azure", `${VAULT}/team-a-*`, { group: `${VAULT}/team-a-x/../team-b` }, '".." in its path'],
    ["Azure", `${VAULT}/team-a-*`, { group: `${VAULT}/team-a-x/%2e%2e/team-b` }, "characters other than"],
    ["Azure", `${VAULT}/team-a-*`, { group: `${VAULT}/team-a-x?/../../team-b` }, "characters other than"],
    ["Azure", `${VAULT}/team-a-*`, { group: `${VAULT}/team-a-x`, groupVersion: "../team-b" }, "group_version has"],
    ["Vault", "secret/data/team-a/*", { group: "secret/data/team-a/db" }, undefined],
    ["Vault", "secret/data/team-a/*", { group: "secret/data/team-a/../team-b/db" }, '".." in its path'],
    ["Vault", "secret/data/team-a/*", { group: "secret/data/team-a//db" }, "empty step"],
    ["Vault", "secret/data/team-a/*", { group: 'secret/data/team-a/db" }}{{ with secret "x' }, "characters other than"],
    [
      "Vault",
      "secret/data/team-a/*",
      { group: "secret/data/team-a/db", key: 'k }}{{ end }}{{ with secret "team-b" }}{{ .Data.data.k' },
      "the key has characters",
    ],
  ])("of %s goes by what is read: %s and %j", async (manager, pattern, parts, reason) => {
    const asking: Asking = { managers: manager, groupBinding: { x: [pattern] } };
    const result = await outcome({ ...ask("k"), ...parts }, asking);
    if (reason === undefined) expect(result).toBe(`${manager} serves`);
    else expect(result).toContain(reason);
  });

  it("of Embedded's second way goes by the group", async () => {
    const asking: Asking = { managers: "Embedded", groupBinding: { x: ["db"] }, hasGroups: true };
    const byGroup = async (group: string) => {
      const answer = await outcome({ ...ask("k", { group }), mountRequirement: 9 }, asking);
      return answer;
    };
    expect(await byGroup("other")).toContain(`Embedded by group: ${notAllowed("other", "x")}`);
    expect(await byGroup("db")).not.toContain("groupBinding");
  });

  it("takes time that grows with the length of a variable", () => {
    const rule = createGroupRule({ x: ["A", "A_", "A__*"] });
    const variable = { kind: "variable", group: "A", name: `A${"_".repeat(2_000_000)}` } as const;
    const started = performance.now();
    expect(rule(variable, "x")).toBeUndefined();
    // Comparing what stands before each "_" would take minutes.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
