import type { DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { AuthMetadataService, ClusterService, SecretService } from "@flyte-secrets/idl";
import {
  AuthMetadataService as AllOfAuth,
  ClusterService as AllOfCluster,
  SecretService as AllOfSecret,
} from "@flyte-secrets/idl/published";
import { expect, test } from "vitest";

const used: readonly DescService[] = [SecretService, ClusterService, AuthMetadataService];

/** A message and those of its fields, each once, by full name. */
function withFields(message: DescMessage, found = new Map<string, DescMessage>()): Map<string, DescMessage> {
  if (found.has(message.typeName)) return found;
  found.set(message.typeName, message);
  for (const { message: next } of message.fields) if (next) withFields(next, found);
  return found;
}

function messagesOf({ methods }: DescService): Map<string, DescMessage> {
  const found = new Map<string, DescMessage>();
  for (const { input, output } of methods) for (const message of [input, output]) withFields(message, found);
  return found;
}

function filesBelow(files: readonly DescFile[], found = new Set<string>()): Set<string> {
  for (const { name, dependencies } of files) if (!found.has(name)) filesBelow(dependencies, found.add(name));
  return found;
}

/** All of a message that decides about its bytes and its JSON, which options do not. */
function wireForm({ proto }: DescMessage): string {
  return JSON.stringify(proto, (key, value) => (key === "options" ? undefined : value));
}

test("the calls load the files of their own messages, and nothing of tasks, apps and validation", () => {
  expect([...filesBelow(used.map(({ file }) => file))].sort()).toEqual([
    "flyteidl2/app/app_definition",
    "flyteidl2/auth/auth_service",
    "flyteidl2/cluster/payload",
    "flyteidl2/cluster/service",
    "flyteidl2/common/identifier",
    "flyteidl2/secret/definition",
    "flyteidl2/secret/payload",
    "flyteidl2/secret/secret",
    "flyteidl2/task/task_definition",
    "google/protobuf/timestamp",
  ]);
});

test.each([
  [SecretService, AllOfSecret],
  [ClusterService, AllOfCluster],
  [AuthMetadataService, AllOfAuth],
] satisfies [DescService, DescService][])("%s has the messages that Flyte publishes", (service, published) => {
  const mine = messagesOf(service);
  expect(mine.size).toBeGreaterThan(1);
  expect([...mine].map(([typeName, message]) => [typeName, wireForm(message)])).toEqual(
    [...messagesOf(published)].map(([typeName, message]) => [typeName, wireForm(message)]),
  );
});
