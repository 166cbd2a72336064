import { task } from "@flyte-secrets/sdk";

/** Asks for a secret that nobody has created. */
export const missing = task({ name: "missing", secrets: "not-created-yet" }, async () => process.env.NOT_CREATED_YET);
