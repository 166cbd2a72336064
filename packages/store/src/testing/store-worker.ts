import { isSecretsError, type SecretStore } from "@flyte-secrets/core";
import { openEmbeddedStore } from "../embedded/embedded-store.ts";
import { rotateMasterKey } from "../embedded/manage-keys.ts";
import { expectedStoreValue } from "./expected-store-value.ts";

/**
 * A process that works on an embedded store until it has done `count` things, is refused or is killed. It prints a line
 * for each thing once that is acknowledged: `write` creates and updates secrets of its own prefix, `lanes` of them at a
 * time, `rotate` rotates the master key. When it is refused it prints the code, and how many of its acknowledged writes
 * are there after opening the store again. `fill` creates secrets until it is refused, then deletes them, and prints
 * how many it could. `create` creates one secret and prints the error.
 */
const [command, directory = "", prefix = "", count = "0", lanes = "1", user = ""] = process.argv.slice(2);

// After the imports, since the user may not be allowed to read this program.
if (user !== "") {
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}

const acknowledged = new Map<string, number>();
try {
  if (command === "write") await write();
  else if (command === "rotate") await rotate();
  else if (command === "fill") await fill();
  else await create();
} catch (error) {
  if (!isSecretsError(error)) throw error;
  console.log(`refused ${error.code}`);
  if (acknowledged.size > 0) console.log(`kept ${await countKept()} of ${acknowledged.size}`);
}

async function write(): Promise<void> {
  const store = await openEmbeddedStore({ directory });
  console.log("open");
  try {
    const prefixes = Array.from({ length: Number(lanes) }, (_, lane) => (lane === 0 ? prefix : `${prefix}-${lane}`));
    await Promise.all(prefixes.map((each) => writeLane(store, each)));
  } finally {
    await store.close();
  }
}

async function writeLane(store: SecretStore, lane: string): Promise<void> {
  for (let index = 0; index < Number(count); index += 1) {
    // Each name is created and then updated twice.
    const name = `${lane}-${Math.floor(index / 3)}`;
    const revision = index % 3;
    const value = expectedStoreValue(name, revision);
    if (revision === 0) await store.create(toId(name), { value, type: "generic" });
    else await store.update(toId(name), value);
    acknowledged.set(name, revision);
    console.log(`${name} ${revision}`);
  }
}

async function fill(): Promise<void> {
  const store = await openEmbeddedStore({ directory });
  const names: string[] = [];
  const createMany = async (lane: number) => {
    for (let index = 0; index < Number(count); index += 1) {
      const name = `${prefix}-${lane}-${index}`;
      await store.create(toId(name), { value: expectedStoreValue(name, 0), type: "generic" });
      names.push(name);
    }
  };
  const outcomes = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6, 7].map(createMany));
  const codes = outcomes.map((each) =>
    each.status === "rejected" && isSecretsError(each.reason) ? each.reason.code : "filled",
  );
  console.log(`${[...new Set(codes)].join(" ")}, ${names.length > 0 ? "some" : "none"} were written`);
  const deleted = await Promise.allSettled(names.map((name) => store.delete(toId(name))));
  console.log(`${deleted.filter(({ status }) => status === "rejected").length} could not be deleted`);
  await store.close();
}

async function create(): Promise<void> {
  try {
    const store = await openEmbeddedStore({ directory });
    await store.create(toId(prefix), { value: expectedStoreValue(prefix, 0), type: "generic" });
    console.log("created");
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    console.log(`${error.code}: ${error.message}`);
  }
}

async function rotate(): Promise<void> {
  for (let index = 0; index < Number(count); index += 1) {
    await rotateMasterKey({ directory });
    console.log(`rotated ${index}`);
  }
}

async function countKept(): Promise<number> {
  const store = await openEmbeddedStore({ directory });
  let kept = 0;
  for (const [name, revision] of acknowledged) {
    const value = await store.read(toId(name));
    if (value?.equals(expectedStoreValue(name, revision))) kept += 1;
  }
  await store.close();
  return kept;
}

function toId(name: string) {
  return { org: "flyte", domain: "development", project: "", name };
}
