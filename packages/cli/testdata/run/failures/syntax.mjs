import { task } from "@flyte-secrets/sdk";

export const a = task({ name: "a" }, async () => {
  const x y = 3;
  return x;
});
