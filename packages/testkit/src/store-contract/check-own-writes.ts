import { setImmediate as nextTurn } from "node:timers/promises";
import { isSecretsError, type SecretId, type SecretStore, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { expect, vi } from "vitest";
import { generic, listRequest, secretId } from "./store-harness.ts";

/** Two stores over the same secrets, as two processes have them, and somebody who changes these without a store. */
export interface ReplicasHarness {
  readonly replicas: readonly [SecretStore, SecretStore];
  /** Sets or removes the mark of a system secret on one that exists. */
  mark(id: SecretId, system: boolean): Promise<void>;
  /** Deletes a secret that exists. */
  remove(id: SecretId): Promise<void>;
}

type State = "absent" | "shown" | "system";

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...(["create", "update", "delete", "get", "list", "list"] as const),
      ...(["mark", "unmark", "remove"] as const),
    ),
    replica: fc.constantFrom(0 as const, 1 as const),
    name: fc.constantFrom("a", "b"),
    turns: fc.nat(4),
  }),
  { minLength: 20, maxLength: 60 },
);

/**
 * Checks the promise of stores that read from memory: whatever two replicas and somebody else do in turns, writes
 * decide by the present state, no read of a replica shows a state from before its own last write of that secret, and in
 * the end both show the present.
 */
export async function checkOwnWrites(harness: ReplicasHarness, numRuns: number): Promise<void> {
  const { replicas, mark, remove } = harness;
  let run = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      run += 1;
      const scope = { domain: `run-${run}`, project: "" };
      const secrets = new Map(["a", "b"].map((name) => [name, startHistory(secretId(name, scope))]));
      const listStates = async (store: SecretStore) => {
        const { entries } = await store.list(listRequest({ scope: { org: "flyte", ...scope }, includeSystem: true }));
        return (name: string) => toState(entries.find(({ id }) => id.name === name));
      };
      for (const { kind, replica, name, turns } of taken) {
        // What the replicas have not heard of yet arrives, or only a part of it.
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        const secret = secrets.get(name);
        if (secret === undefined) throw new Error("every name has a history");
        const { id, present, change, assertSeen } = secret;
        const store = replicas[replica];
        switch (kind) {
          case "create":
            expect(await outcome(store.create(id, generic("x")))).toBe(
              present() === "absent" ? "done" : "already_exists",
            );
            if (present() === "absent") change("shown", replica);
            break;
          case "update":
            expect(await outcome(store.update(id, SecretValue.fromText("y")))).toBe(
              present() === "shown" ? "done" : "not_found",
            );
            if (present() === "shown") change("shown", replica);
            break;
          case "delete":
            expect(await outcome(store.delete(id, { includeSystem: true }))).toBe(
              present() === "absent" ? "not_found" : "done",
            );
            if (present() !== "absent") change("absent", replica);
            break;
          case "get":
            assertSeen(toState(await store.get(id, { includeSystem: true })), replica);
            break;
          case "list": {
            const stateOf = await listStates(store);
            for (const [each, { assertSeen }] of secrets) assertSeen(stateOf(each), replica);
            break;
          }
          case "mark":
          case "unmark":
            if (present() === "absent") break;
            await mark(id, kind === "mark");
            change(kind === "mark" ? "system" : "shown");
            break;
          case "remove":
            if (present() === "absent") break;
            await remove(id);
            change("absent");
        }
      }
      for (const store of replicas) {
        await vi.waitFor(async () => {
          const stateOf = await listStates(store);
          for (const [name, { id, present }] of secrets) {
            expect([stateOf(name), toState(await store.get(id, { includeSystem: true }))]).toEqual([
              present(),
              present(),
            ]);
          }
        }, 30_000);
      }
    }),
    { numRuns },
  );
}

/** All states that a secret had, and which of them each replica must not show any more. */
function startHistory(id: SecretId) {
  const states: State[] = ["absent"];
  const ownWrites = [0, 0];
  return {
    id,
    present: (): State => states.at(-1) ?? "absent",
    /** `replica` is who has made it; nobody else. */
    change(state: State, replica?: 0 | 1): void {
      states.push(state);
      if (replica !== undefined) ownWrites[replica] = states.length - 1;
    },
    assertSeen(state: State, replica: 0 | 1): void {
      expect(states.slice(ownWrites[replica])).toContain(state);
    },
  };
}

function toState(record: { readonly system: boolean } | undefined): State {
  if (record === undefined) return "absent";
  return record.system ? "system" : "shown";
}

function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "done",
    (error: unknown) => (isSecretsError(error) ? error.code : error),
  );
}
