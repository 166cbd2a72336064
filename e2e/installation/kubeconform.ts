import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../kubernetes/cluster.ts";
import { type GoProgram, goProgram, requireGoProgram } from "../support/go-program.ts";
import type { Requirement } from "../support/requirement.ts";
import { type ProgramResult, runProgram } from "../support/run-program.ts";

const KUBECONFORM: GoProgram = {
  name: "kubeconform",
  path: "github.com/yannh/kubeconform/cmd/kubeconform",
  version: "v0.7.0",
};

/** Builds kubeconform into the user's cache unless it is there. */
export function requireKubeconform(): Requirement {
  return requireGoProgram(KUBECONFORM);
}

/**
 * Checks manifests by schemas of {@link writeSchemas}, and by nothing from elsewhere; unknown fields and kinds are
 * faults.
 */
export function kubeconform(manifests: string, schemas: string): Promise<ProgramResult> {
  const location = join(schemas, "{{.ResourceKind}}{{.KindSuffix}}.json");
  const args = ["-strict", "-summary", "-schema-location", location, "-"];
  return runProgram(goProgram(KUBECONFORM), args, { input: manifests });
}

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, ObjectSchema>> };
}

interface ObjectSchema {
  readonly properties?: object;
  readonly "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
}

/** Writes what the API server itself says of its objects (its OpenAPI v3) as one closed JSON schema a kind. */
export async function writeSchemas(cluster: Cluster, directory: string): Promise<void> {
  mkdirSync(directory);
  const { paths }: { paths: object } = JSON.parse(await cluster.kubectl(["get", "--raw", "/openapi/v3"]));
  for (const path of Object.keys(paths).filter((each) => /^(api|apis\/.*)\/v[12]$/.test(each))) {
    const { components }: OpenApi = JSON.parse(await cluster.kubectl(["get", "--raw", `/openapi/v3/${path}`]));
    const schemas = Object.fromEntries(
      Object.entries(components.schemas).map(([name, schema]) => [
        name,
        schema.properties === undefined ? schema : { ...schema, additionalProperties: false },
      ]),
    );
    for (const [name, schema] of Object.entries(components.schemas)) {
      for (const { group, version, kind } of schema["x-kubernetes-group-version-kind"] ?? []) {
        // As kubeconform names them: of a group its first word.
        const file = [kind.toLowerCase(), group.split(".")[0], version].filter((part) => part !== "").join("-");
        const content = { $ref: `#/components/schemas/${name}`, components: { schemas } };
        writeFileSync(join(directory, `${file}.json`), JSON.stringify(content));
      }
    }
  }
}
