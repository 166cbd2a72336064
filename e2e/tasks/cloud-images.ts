import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusyboxPath } from "../support/busybox.ts";
import type { Image } from "./kubelet.ts";

/**
 * Stand-ins for the programs of the clouds' images: they take what the real ones take, and give values out of files.
 */
const PROGRAMS = {
  // Amazon's sidecar for Secrets Manager, by its documented contract.
  sidecar: `mkdir -p "$(dirname "/tmp$SECRET_FILENAME")"
cp "$(file "$SECRET_ARN")" "/tmp$SECRET_FILENAME"`,
  gcloud: `[ "$1 $2 $3" = "secrets versions access" ]
cp "$(file "$4")" "\${5#--out-file=}"`,
  az: `case "$*" in
"login --service-principal -u client -t tenant --federated-token token") ;;
"keyvault secret show --id $5 --query value -o tsv") cat "$(file "$5")"; echo ;;
*) exit 2 ;;
esac`,
};

/**
 * The images `aws`, `gcloud`, `az` and `busybox`; `values` are what the secret managers hold, by the names asked for.
 */
export function makeCloudImages(
  directory: string,
  values: Readonly<Record<string, string | Uint8Array>>,
): Record<"aws" | "gcloud" | "az" | "busybox", Image> {
  const held = join(directory, "values");
  const programs = join(directory, "programs");
  for (const path of [held, programs]) mkdirSync(path, { recursive: true });
  for (const [name, value] of Object.entries(values)) writeFileSync(join(held, name.replaceAll("/", "_")), value);
  for (const [name, body] of Object.entries(PROGRAMS)) {
    const path = join(programs, name);
    writeFileSync(path, `#!/bin/sh -e\nfile() { printf '%s/' '${held}'; printf %s "$1" | tr / _; }\n${body}\n`);
    chmodSync(path, 0o755);
  }
  writeFileSync(join(directory, "identity"), "token");
  const busybox = makeBusyboxPath(join(directory, "busybox"));
  const variables = { PATH: `${programs}:${busybox}` };
  return {
    busybox: { variables: { PATH: busybox } },
    aws: { variables, entrypoint: [join(programs, "sidecar")] },
    gcloud: { variables },
    // Azure's workload identity sets these on the pod.
    az: {
      variables: {
        ...variables,
        AZURE_CLIENT_ID: "client",
        AZURE_TENANT_ID: "tenant",
        AZURE_FEDERATED_TOKEN_FILE: join(directory, "identity"),
      },
    },
  };
}
