import { type GroupLookup, MountRequirement, type SecretRequest, SecretValue } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { createGroupInjector } from "./group.ts";
import type { InjectContext } from "./injector.ts";

const context: InjectContext = { labels: {}, namespace: "shop", variables: { prefix: "_UNION_", style: "raw" } };
const request: SecretRequest = {
  group: "my-db",
  groupVersion: "",
  key: "password",
  mountRequirement: MountRequirement.ANY,
  envVar: "",
};
const source = { kind: "value", value: SecretValue.fromText("p"), label: "AWS:my-db/password" } as const;
const findInGroup: GroupLookup["findInGroup"] = async (group, key) =>
  group === "my-db" && key === "password"
    ? { found: true, value: source.value, label: source.label }
    : { found: false, reason: `there is no AWS secret "${group}"` };
const injector = createGroupInjector({ lookup: { findInGroup } });

test("a variable is called as Embedded's, whose group does not count", async () => {
  expect(await injector.inject(request, context)).toEqual({
    injected: true,
    edits: [
      { kind: "env", variable: { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" } },
      { kind: "secretVariable", name: "_UNION_PASSWORD", source },
    ],
  });
});

test("a file is one beside Embedded's", async () => {
  const forFile = { ...request, mountRequirement: MountRequirement.FILE, envVar: "PASSWORD_FILE" };
  expect(await injector.inject(forFile, context)).toEqual({
    injected: true,
    edits: [
      { kind: "secretFile", file: "password", source },
      { kind: "env", variable: { name: "PASSWORD_FILE", value: "/etc/flyte/secrets/password" } },
    ],
  });
});

test.each([
  [{ group: "" }, "the request names no group"],
  [{ group: "other" }, 'there is no AWS secret "other"'],
  [{ key: "" }, "Embedded Secrets Webhook requires key to be set"],
])("a request that it can't serve is left to the next manager: %j", async (change, reason) => {
  expect(await injector.inject({ ...request, ...change }, context)).toEqual({ injected: false, reason });
});
