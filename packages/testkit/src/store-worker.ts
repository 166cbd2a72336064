import { openEmbeddedStore, rotateMasterKey } from "@flyte-secrets/server";
import { expectedStoreValue } from "./expected-store-value.ts";

/**
 * A process that works on an embedded store until it has done `count` things or is killed, and says each on a line of its
 * own once it is acknowledged: `write` creates and updates secrets of its own prefix, `rotate` rotates the master key.
 */
const [command, directory = "", prefix = "", count = "0"] = process.argv.slice(2);

if (command === "write") {
  const store = await openEmbeddedStore({ directory });
  process.stdout.write("open\n");
  for (let index = 0; index < Number(count); index += 1) {
    // Each name is created and then updated twice.
    const name = `${prefix}-${Math.floor(index / 3)}`;
    const revision = index % 3;
    const id = { org: "flyte", domain: "development", project: "", name };
    const value = expectedStoreValue(name, revision);
    if (revision === 0) await store.create(id, { value, type: "generic" });
    else await store.update(id, value);
    process.stdout.write(`${name} ${revision}\n`);
  }
  await store.close();
}

if (command === "rotate") {
  for (let index = 0; index < Number(count); index += 1) {
    await rotateMasterKey({ directory });
    process.stdout.write(`rotated ${index}\n`);
  }
}
