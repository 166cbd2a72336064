import { kubernetesSecretName, type SecretId, SecretValue } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import { type ManagedRecord, toManagedRecord } from "./managed-record.ts";
import { toManagedSecret } from "./managed-secret.ts";
import { WatchedRecords } from "./watched-records.ts";

const id = (name: string, scope: Partial<SecretId> = {}): SecretId => ({
  org: "flyte",
  domain: "",
  project: "",
  ...scope,
  name,
});
const nameOf = (name: string) => kubernetesSecretName(id(name));

function secret(of: SecretId, version: number, change: Partial<KubeSecret> = {}): ManagedRecord {
  const made = toManagedSecret(of, { value: SecretValue.fromText("v"), type: "generic" }, "flyte");
  const metadata = { ...made.metadata, resourceVersion: String(version) };
  return toManagedRecord({ ...made, type: "Opaque", metadata, ...change }, "one");
}

/** Records after a first list, with the changes since and the Secrets that hold none. */
function setUp(...listed: ManagedRecord[]) {
  const told: string[] = [];
  const misnamed: string[] = [];
  const records = new WatchedRecords({
    onChange: (change) => void told.push(change.kind === "reset" ? "reset" : `${change.kind} ${change.id.name}`),
    onMisnamed: ({ problem }) => void misnamed.push(problem?.what ?? ""),
  });
  records.onReplace(listed, "10");
  const list = (domain = "", project = "") =>
    records
      .page({ org: "flyte", domain, project }, { after: undefined, limit: 100, includeSystem: false })
      .entries.map((entry) => entry.id.name)
      .toSorted();
  return {
    records,
    told,
    misnamed,
    list,
    versionOf: (name: string) => records.get(nameOf(name))?.metadata.resourceVersion,
  };
}

test("an older state than the known one changes nothing, whether it was added, changed or deleted", () => {
  const { records, told, versionOf } = setUp(secret(id("a"), 5));
  records.onUpsert(secret(id("a"), 12));
  for (const version of [5, 11, 12]) records.onUpsert(secret(id("a"), version));
  records.onDelete(secret(id("a"), 11));
  expect(versionOf("a")).toBe("12");
  expect(told).toEqual(["reset", "put a"]);
});

test("a list that was begun before a write does not undo it", () => {
  const { records, list, versionOf } = setUp(secret(id("updated"), 5), secret(id("deleted"), 6));
  records.record(secret(id("created"), 21));
  records.record(secret(id("updated"), 22));
  records.recordDeleted(nameOf("deleted"), "6");
  records.onReplace([secret(id("updated"), 5), secret(id("deleted"), 6)], "20");
  expect(list()).toEqual(["created", "updated"]);
  expect(versionOf("updated")).toBe("22");
  // One that was begun afterwards decides.
  records.onReplace([secret(id("updated"), 22)], "30");
  expect(list()).toEqual(["updated"]);
});

test("a list of an etcd that was restored to an earlier state replaces what is newer", () => {
  const { records, list, versionOf } = setUp(secret(id("changed"), 5), secret(id("deleted"), 6));
  records.onUpsert(secret(id("created"), 21));
  records.onUpsert(secret(id("changed"), 22));
  records.onDelete(secret(id("deleted"), 23));
  records.recordDeleted(nameOf("deleted"), "23");
  records.onReplace([secret(id("changed"), 5), secret(id("deleted"), 6)], "20");
  expect(list()).toEqual(["changed", "deleted"]);
  expect(versionOf("changed")).toBe("5");
  records.onUpsert(secret(id("changed"), 21));
  expect(versionOf("changed")).toBe("21");
});

test("a deleted Secret does not come back by older events, and does when it is created again", () => {
  const { records, told, list } = setUp(secret(id("a"), 5));
  records.recordDeleted(nameOf("a"), "12");
  records.onUpsert(secret(id("a"), 11));
  records.onUpsert(secret(id("a"), 12));
  expect(list()).toEqual([]);
  records.onUpsert(secret(id("a"), 14));
  // The deletion that the watch delivers late.
  records.onDelete(secret(id("a"), 13));
  expect(list()).toEqual(["a"]);
  expect(told).toEqual(["reset", "delete a", "put a"]);
});

test("a Secret that the watch has delivered as deleted does not come back by a late answer to a call", () => {
  const { records, told, list } = setUp(secret(id("a"), 5), secret(id("b"), 6));
  records.onDelete(secret(id("a"), 12));
  records.record(secret(id("a"), 5));
  records.onReplace([], "20");
  records.record(secret(id("b"), 6));
  expect(list()).toEqual([]);
  records.record(secret(id("a"), 21));
  expect(list()).toEqual(["a"]);
  expect(told).toEqual(["reset", "delete a", "delete b", "put a"]);
});

test("a write that is ahead of the watch does not hide what the watch delivers after it", () => {
  const { records, list } = setUp();
  records.record(secret(id("written"), 15));
  records.record(secret(id("read"), 13));
  records.onUpsert(secret(id("watched"), 12));
  expect(list()).toEqual(["read", "watched", "written"]);
});

test("that a version is deleted says nothing of a newer one", () => {
  const { records, list } = setUp(secret(id("a"), 5));
  records.onUpsert(secret(id("a"), 9));
  records.recordDeleted(nameOf("a"), "5");
  expect(list()).toEqual(["a"]);
});

test("a scope lists what a label selector would find, and nothing of another scope", () => {
  const shop = { domain: "development", project: "shop" };
  const wrong = secret(id("mislabelled", shop), 4, {
    metadata: {
      name: kubernetesSecretName(id("mislabelled", shop)),
      resourceVersion: "4",
      labels: { "app.flyte.org/managed": "true", "app.flyte.org/domain": "development", "app.flyte.org/project": "x" },
    },
  });
  const { list } = setUp(
    secret(id("project", shop), 1),
    secret(id("domain", { domain: "development" }), 2),
    secret(id("global"), 3),
    wrong,
    secret(id("other", { org: "acme" }), 5),
  );
  expect(list()).toEqual(["domain", "global", "mislabelled", "project"]);
  expect(list("development")).toEqual(["domain", "mislabelled", "project"]);
  expect(list("development", "shop")).toEqual(["project"]);
  expect(list("development", "x")).toEqual([]);
  expect(list("", "shop")).toEqual(["project"]);
});

test("a Secret that loses its data key is listed no more and told as a change, and is back when it gets it again", () => {
  const { records, told, misnamed, list } = setUp(secret(id("a"), 5));
  const { metadata } = toManagedSecret(id("a"), { value: SecretValue.fromText("v"), type: "generic" }, "flyte");
  const empty = (version: number) =>
    secret(id("a"), version, { metadata: { ...metadata, resourceVersion: `${version}` }, data: {} });
  records.onUpsert(empty(11));
  records.onUpsert(empty(12));
  expect([list(), misnamed]).toEqual([[], ["it has no data", "it has no data"]]);
  records.onUpsert(secret(id("a"), 13));
  expect(list()).toEqual(["a"]);
  expect(told).toEqual(["reset", "put a", "put a", "put a"]);
});

test("nothing of a value is kept", () => {
  expect(JSON.stringify(secret(id("a"), 5))).not.toContain(Buffer.from("v").toString("base64"));
});
