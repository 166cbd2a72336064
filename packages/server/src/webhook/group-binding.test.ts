import type { Injector } from "@flyte-secrets/core";
import { expect, it } from "vitest";
import { bindGroups, type GroupBinding } from "./group-binding.ts";
import { ask } from "./testing/pod-review.ts";

const manager: Injector = { name: "K8s", inject: async () => ({ injected: true, edits: [] }) };

async function ends(binding: GroupBinding, namespace: string, group: string): Promise<string> {
  const context = { labels: {}, namespace, variables: { prefix: "", style: "raw" } } as const;
  const injection = await bindGroups(manager, binding).inject(ask("k", { group }), context);
  return injection.injected ? "injected" : injection.reason;
}

const refused = (group: string, namespace: string) =>
  `group "${group}" is not among those that webhook.groupBinding allows in namespace "${namespace}"`;

it("is the manager itself as long as nothing is bound", () => {
  expect(bindGroups(manager, {})).toBe(manager);
});

it("lets a namespace name the groups that are listed for it, and no others", async () => {
  const binding = { "p-d": ["db", "team-*"], "q-d": [] };
  expect(await ends(binding, "p-d", "db")).toBe("injected");
  expect(await ends(binding, "p-d", "team-a")).toBe("injected");
  expect(await ends(binding, "p-d", "team")).toBe(refused("team", "p-d"));
  expect(await ends(binding, "p-d", "dbx")).toBe(refused("dbx", "p-d"));
  expect(await ends(binding, "q-d", "db")).toBe(refused("db", "q-d"));
});

it("leaves a namespace alone that is not listed, unless there is an entry for all others", async () => {
  expect(await ends({ "p-d": ["db"] }, "x", "any")).toBe("injected");
  expect(await ends({ "p-d": ["db"], "*": ["shared"] }, "x", "any")).toBe(refused("any", "x"));
  expect(await ends({ "p-d": ["db"], "*": ["shared"] }, "x", "shared")).toBe("injected");
  expect(await ends({ "p-d": ["db"], "*": ["shared"] }, "p-d", "shared")).toBe(refused("shared", "p-d"));
});

it("has nothing to say of a request without a group, and takes no name for more than a name", async () => {
  expect(await ends({ "*": [] }, "p-d", "")).toBe("injected");
  expect(await ends({ "p-d": ["db"] }, "constructor", "any")).toBe("injected");
});
