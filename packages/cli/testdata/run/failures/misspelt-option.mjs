import { task } from "@flyte-secrets/sdk";

export const a = task({ name: "a", secret: "openai-key" }, async () => 1);
