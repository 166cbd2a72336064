import { encodeSecretId, kubernetesSecretName, type SecretId, SecretValue } from "@flyte-secrets/core";
import type { Secret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import { NamespaceSecrets } from "./namespace-secrets.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const text = encodeSecretId(id);

function secret(name: string, data?: Record<string, string>): Secret {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, ...(data && { data }) };
}
const managed = (value: string) => secret(kubernetesSecretName(id), { [text]: Buffer.from(value).toString("base64") });

test("a managed Secret is its value, until it changes or goes", () => {
  const secrets = new NamespaceSecrets();
  secrets.onReplace([managed("old")]);
  expect(secrets.get(text)).toEqual(SecretValue.fromText("old"));
  secrets.onUpsert(managed("new"));
  expect(secrets.get(text)).toEqual(SecretValue.fromText("new"));
  secrets.onDelete(managed("new"));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, false]);
});

test("what a list doesn't have any more is gone", () => {
  const secrets = new NamespaceSecrets();
  secrets.onUpsert(managed("old"));
  secrets.onUpsert(secret(kubernetesSecretName({ ...id, name: "other" })));
  secrets.onReplace([]);
  expect([secrets.get(text), secrets.isEmpty(encodeSecretId({ ...id, name: "other" }))]).toEqual([undefined, false]);
});

test("one that is called like a managed one and doesn't hold its key is empty, until it does or goes", () => {
  const secrets = new NamespaceSecrets();
  const name = kubernetesSecretName(id);
  secrets.onUpsert(secret(name, { other: "eA==" }));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, true]);
  secrets.onUpsert(managed("v"));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([SecretValue.fromText("v"), false]);
  secrets.onUpsert(secret(name));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, true]);
  secrets.onDelete(secret(name));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, false]);
});

test("a Secret of another name that holds an encoded id is none of ours", () => {
  const secrets = new NamespaceSecrets();
  const value = Buffer.from("v").toString("base64");
  secrets.onUpsert(secret("app-config", { [text]: value }));
  secrets.onUpsert(secret("0".repeat(32), { [text]: value }));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, false]);
});

test("an empty value is a value", () => {
  const secrets = new NamespaceSecrets();
  secrets.onUpsert(managed(""));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([SecretValue.fromText(""), false]);
});

test("what was read around the watch is waited for: a newer state, one that is not known, and that there is none", () => {
  const secrets = new NamespaceSecrets();
  const name = kubernetesSecretName(id);
  const at = (resourceVersion: string) => ({ ...managed(resourceVersion), metadata: { name, resourceVersion } });
  secrets.onUpsert(at("8"));
  expect(secrets.isBehind(text)).toBe(false);
  secrets.noteRead(name, at("11"), secrets.ask());
  // The answer to an earlier question.
  secrets.noteRead(name, at("9"), secrets.ask());
  expect(secrets.isBehind(text)).toBe(true);
  secrets.onUpsert(at("10"));
  expect(secrets.isBehind(text)).toBe(true);
  secrets.onUpsert(at("11"));
  expect(secrets.isBehind(text)).toBe(false);
  secrets.noteRead(name, undefined, secrets.ask());
  expect(secrets.isBehind(text)).toBe(true);
  secrets.onDelete(at("12"));
  expect(secrets.isBehind(text)).toBe(false);
  secrets.noteRead(name, at("13"), secrets.ask());
  expect(secrets.isBehind(text)).toBe(true);
  secrets.onReplace([at("14")]);
  expect(secrets.isBehind(text)).toBe(false);
});

test("what was changed is behind until an answer to a later question, and the watch, tell how", () => {
  const secrets = new NamespaceSecrets();
  const name = kubernetesSecretName(id);
  const at = (resourceVersion: string) => ({ ...managed(resourceVersion), metadata: { name, resourceVersion } });
  secrets.onUpsert(at("8"));
  const before = secrets.ask();
  secrets.doubt(text);
  secrets.onUpsert(at("8"));
  secrets.noteRead(name, at("8"), before);
  expect(secrets.isBehind(text)).toBe(true);
  secrets.noteRead(name, at("9"), secrets.ask());
  expect(secrets.isBehind(text)).toBe(true);
  secrets.onUpsert(at("9"));
  expect(secrets.isBehind(text)).toBe(false);
});

test("no more than a thousand changes are kept that nobody asked for", () => {
  const secrets = new NamespaceSecrets();
  const ids = Array.from({ length: 1_001 }, (_, n) => encodeSecretId({ ...id, name: `key-${n}` }));
  for (const each of ids) secrets.doubt(each);
  expect(ids.filter((each) => secrets.isBehind(each))).toHaveLength(1_000);
  expect(secrets.isBehind(ids.at(-1) ?? "")).toBe(true);
});
