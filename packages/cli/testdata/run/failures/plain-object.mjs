import { task } from "@flyte-secrets/sdk";

export const a = task({ name: "a", secrets: [{ key: "openai-key" }] }, async () => 1);
