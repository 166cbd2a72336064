import { isSecretsError } from "@flyte-secrets/core";
import { openEmbeddedStore } from "../embedded/embedded-store.ts";
import { rotateMasterKey } from "../embedded/rotate-keys.ts";
import { expectedStoreValue } from "./expected-store-value.ts";

/**
 * A process that works on an embedded store until it has done `count` things, is refused or is killed. It says each thing on
 * a line of its own once that is acknowledged: `write` creates and updates secrets of its own prefix, `rotate` rotates the
 * master key. Refused, it says so, and how many of its acknowledged writes are there after opening the store again.
 */
const [command, directory = "", prefix = "", count = "0", user = ""] = process.argv.slice(2);

// After the imports, since the user may not be allowed to read this program.
if (user !== "") {
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}

const acknowledged = new Map<string, number>();
try {
  if (command === "write") await write();
  else await rotate();
} catch (error) {
  if (!isSecretsError(error)) throw error;
  console.log(`refused ${error.code}`);
  if (acknowledged.size > 0) console.log(`kept ${await countKept()} of ${acknowledged.size}`);
}

async function write(): Promise<void> {
  const store = await openEmbeddedStore({ directory });
  console.log("open");
  try {
    for (let index = 0; index < Number(count); index += 1) {
      // Each name is created and then updated twice.
      const name = `${prefix}-${Math.floor(index / 3)}`;
      const revision = index % 3;
      const value = expectedStoreValue(name, revision);
      if (revision === 0) await store.create(toId(name), { value, type: "generic" });
      else await store.update(toId(name), value);
      acknowledged.set(name, revision);
      console.log(`${name} ${revision}`);
    }
  } finally {
    await store.close();
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
