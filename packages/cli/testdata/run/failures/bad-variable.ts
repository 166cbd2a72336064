import { Secret, task } from "@flyte-secrets/sdk";

const key = new Secret({ key: "tls-crt", asEnvVar: "TLS.CRT" });

export const a = task({ name: "a", secrets: key }, async () => 1);
