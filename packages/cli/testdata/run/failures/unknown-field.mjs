import { Secret, task } from "@flyte-secrets/sdk";

const key = new Secret({ key: "tls-crt", asEnv: "TLS_CRT" });

export const a = task({ name: "a", secrets: key }, async () => 1);
