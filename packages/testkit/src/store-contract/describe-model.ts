import { isSecretsError, type SecretId, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { listRequest, type StartStore, secretId } from "./store-harness.ts";

const RUNS = 20;

const action = fc.record({
  kind: fc.constantFrom("create" as const, "update" as const, "delete" as const),
  client: fc.nat(1),
  name: fc.constantFrom("a", "A", "b", "b__c"),
  project: fc.constantFrom("", "shop", "shop-2"),
  bytes: fc.uint8Array({ maxLength: 40 }),
});

export function describeModel(start: StartStore): void {
  describe("any sequence of changes", () => {
    test("leaves what a map of ids to values would hold, for every client", async () => {
      const { store, connect, close } = await start();
      onTestFinished(close);
      const clients = [store, await connect()] as const;
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
          run += 1;
          const domain = `run-${run}`;
          const model = new Map<string, { id: SecretId; bytes: Uint8Array }>();
          for (const { kind, client, name, project, bytes } of actions) {
            const id = secretId(name, { domain, project });
            const key = `${project}/${name}`;
            const value = SecretValue.fromBytes(bytes);
            const target = clients[client === 0 ? 0 : 1];
            const refusal = model.has(key) === (kind === "create");
            const call = {
              create: () => target.create(id, { value, type: "generic" }),
              update: () => target.update(id, value),
              delete: () => target.delete(id),
            }[kind];
            const outcome = await call().then(
              () => "done",
              (error: unknown) => (isSecretsError(error) ? error.code : error),
            );
            expect(outcome).toBe(refusal ? (kind === "create" ? "already_exists" : "not_found") : "done");
            if (refusal) continue;
            if (kind === "delete") model.delete(key);
            else model.set(key, { id, bytes });
          }
          for (const client of clients) {
            const { entries } = await client.list(listRequest({ scope: { org: "flyte", domain, project: "" } }));
            expect(entries.map(({ id }) => `${id.project}/${id.name}`).toSorted()).toEqual(
              [...model.keys()].toSorted(),
            );
            for (const { id, bytes } of model.values()) {
              expect((await client.read(id))?.revealBytes()).toEqual(bytes);
            }
          }
        }),
        { numRuns: RUNS },
      );
    });
  });
}
