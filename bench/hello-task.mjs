import { task } from "@flyte-secrets/sdk";

export const main = task({ name: "main", secrets: "api-key" }, async () => console.log("the task has begun"));
