import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { expectedStoreValue } from "@flyte-secrets/store/testing";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROUNDS = 10;
const WRITES = 2_000;
const CLIENTS = 4;
/** Each name is created once and updated twice. */
const REVISIONS = 3;
const OPEN_LIMIT_MS = 1_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-crash-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The last acknowledged revision by name, over all rounds. */
const acknowledged = new Map<string, number>();

test.each(
  Array.from({ length: ROUNDS }, (_, index) => index + 1),
)(`a server killed at random moments keeps ${WRITES} acknowledged creates and updates, round %i`, async (round) => {
  let done = 0;
  for (let run = 0; done < WRITES; run += 1) {
    const killAfter = Math.min(WRITES - done, 1 + Math.floor(Math.random() * 1_000));
    done += await writeUntilKilled(`r${round}-${run}`, killAfter);
    await expectAllKept(`round ${round}, run ${run}, killed after ${killAfter} writes`);
  }
});

/** Writes over several connections until the server has been killed; returns how many writes it acknowledged. */
async function writeUntilKilled(prefix: string, killAfter: number): Promise<number> {
  const server = await startServe({ directory });
  const before = new Map(acknowledged);
  let count = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let index = 0; ; index += 1) {
        const name = `${prefix}-${client}-${Math.floor(index / REVISIONS)}`;
        const revision = index % REVISIONS;
        if (!(await write(server, name, revision))) return;
        acknowledged.set(name, revision);
        count += 1;
        // The other clients' writes are in flight.
        if (count === killAfter) server.process.kill("SIGKILL");
      }
    }),
  );
  await server.close();
  expect(acknowledged.size).toBeGreaterThan(before.size);
  return count;
}

/** Whether the write was acknowledged; false once the server is dead. */
async function write(server: ServeProcess, name: string, revision: number): Promise<boolean> {
  const method = revision === 0 ? "CreateSecret" : "UpdateSecret";
  const binaryValue = expectedStoreValue(name, revision).revealBase64();
  let response: Response;
  try {
    response = await fetch(`${server.endpoint}/flyteidl2.secret.SecretService/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ id: { name, domain: "development" }, secretSpec: { binaryValue } }),
    });
    await response.arrayBuffer();
  } catch {
    return false;
  }
  expect(response.status, `${method} ${name}`).toBe(200);
  return true;
}

async function expectAllKept(when: string): Promise<void> {
  const started = performance.now();
  const store = await openEmbeddedStore({ directory: join(directory, "store") });
  expect(performance.now() - started, `opening after ${when}`).toBeLessThan(OPEN_LIMIT_MS);
  const lost: string[] = [];
  for (const [name, revision] of acknowledged) {
    const value = await store.read({ org: "flyte", domain: "development", project: "", name });
    // The kill may have come between the next write of the same secret and its acknowledgement.
    const kept = [revision, revision + 1].some((each) => value?.equals(expectedStoreValue(name, each)));
    if (!kept) lost.push(`${name} as of revision ${revision}`);
  }
  await store.close();
  expect(lost, when).toEqual([]);
}
