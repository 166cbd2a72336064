import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { createPrivateDirectory, writeSecretFile } from "../../src/run/private-directory.ts";

// Makes a directory, tells its path and waits to be killed or told to exit: for the tests beside it.
const directory = await createPrivateDirectory({ path: process.argv[2] ?? "", inMemory: false });
await writeSecretFile(join(directory.path, "key"), SecretValue.fromText("value"));
process.on("message", () => process.exit());
process.send?.(directory.path);
