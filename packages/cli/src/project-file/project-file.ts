import { keyOffset } from "@flyte-secrets/config";
import { excerpt, nearestName, quote, type SecretRequest, SecretsError, sharedVariable } from "@flyte-secrets/core";
import { MountType, Secret } from "@flyte-secrets/sdk";
import { LineCounter, parseDocument } from "yaml";
import { parseYaml } from "../formats/parse-yaml.ts";
import { findViolation, type Violation } from "./find-violation.ts";
import { PROJECT_FILE_SCHEMA } from "./schema.ts";

/** A secret that a project needs. */
export interface DeclaredSecret {
  readonly request: SecretRequest;
  readonly description: string;
  readonly optional: boolean;
}

/** What a project needs, in one of its environments or outside of them. */
export interface ProjectNeeds {
  /** The scope of whoever asks, unless something else says one. */
  readonly project?: string;
  readonly domain?: string;
  readonly secrets: readonly DeclaredSecret[];
}

/** A project file. */
export interface ProjectFile extends ProjectNeeds {
  /** How messages call it. */
  readonly name: string;
  /** What differs, by the name of the environment. */
  readonly environments: ReadonlyMap<string, ProjectNeeds>;
}

/** As the schema has it. */
interface Written {
  readonly project?: string;
  readonly domain?: string;
  readonly secrets?: readonly WrittenSecret[];
  readonly environments?: Readonly<Record<string, Omit<Written, "environments">>>;
}

export interface WrittenSecret {
  readonly key?: string;
  readonly group?: string;
  readonly groupVersion?: string;
  readonly description?: string;
  readonly as?: keyof typeof MOUNTS;
  readonly variable?: string;
  readonly optional?: boolean;
}

const MOUNTS = { variable: MountType.ENV_VAR, file: MountType.FILE, any: MountType.ANY } as const;

/**
 * Reads the text of a project file; `name` is how messages call it. Throws `invalid_argument`, naming the line, for
 * what breaks a rule, which is never quoted but for its key: somebody may have written a value there.
 */
export function parseProjectFile(text: string, name: string): ProjectFile {
  const fail = (problem: string) => new SecretsError("invalid_argument", `${name} is not valid YAML: ${problem}`);
  const [document, second] = parseYaml(text, { fail });
  if (second !== undefined) throw fail("it has a second document");
  const refuse = ({ path, key, problem }: Violation) => {
    const line = lineOf(text, key === undefined ? path : [...path, key]);
    return new SecretsError("invalid_argument", `${name}:${line}: ${toPath(path) || "it"} ${problem}`);
  };
  const violation = findViolation(PROJECT_FILE_SCHEMA, document);
  if (violation !== undefined) throw refuse(violation);
  // The schema has been checked.
  const { environments = {}, ...base } = document as Written;
  const read = (written: Omit<Written, "environments">, path: Violation["path"]): ProjectNeeds => {
    const { secrets = [], ...scope } = written;
    const declared: DeclaredSecret[] = [];
    for (const [index, one] of secrets.entries()) {
      const next = toDeclared(one);
      const problem = typeof next === "string" ? next : conflictOf(next, declared);
      if (problem !== undefined) throw refuse({ path: [...path, "secrets", index], problem });
      if (typeof next !== "string") declared.push(next);
    }
    return { ...scope, secrets: declared };
  };
  return {
    name,
    ...read(base, []),
    environments: new Map(
      Object.entries(environments).map(([key, written]) => [key, read(written, ["environments", key])]),
    ),
  };
}

/**
 * What a project needs in an environment: the scope and the secrets of the file, with those of the environment in place
 * of the same secrets and of others in the same variables. Without an environment, what the file says outside of them.
 * Throws `usage` for one that the file doesn't have.
 */
export function needsIn(file: ProjectFile, environment: string | undefined): ProjectNeeds {
  if (environment === undefined) return file;
  const own = file.environments.get(environment);
  if (own === undefined) {
    const names = [...file.environments.keys()];
    const nearest = nearestName(environment, names) ?? names.slice(0, 8).join(", ");
    const guess = names.length === 0 ? "it has none" : `it has ${nearest}`;
    throw new SecretsError("usage", `--environment: ${file.name} has no environment ${excerpt(environment)}; ${guess}`);
  }
  const isReplaced = ({ request }: DeclaredSecret) =>
    own.secrets.some((one) => isSame(one.request, request) || sharedVariable(one.request, request) !== undefined);
  const kept = file.secrets.filter((one) => !isReplaced(one));
  const { project = file.project, domain = file.domain } = own;
  return { ...(project && { project }), ...(domain && { domain }), secrets: [...kept, ...own.secrets] };
}

/** The secret, or what is wrong with it beyond the schema. */
function toDeclared({ as = "variable", variable, description = "", optional = false, ...id }: WrittenSecret) {
  const derived = as === "variable" ? new Secret({ key: id.key, group: id.group }).asEnvVar : "";
  const envVar = variable ?? derived;
  if (as === "variable" && !/^[A-Z_][A-Z0-9_]*$/.test(envVar ?? "")) {
    return `would be the variable ${excerpt(envVar ?? "")}, which is no name of one; choose one: variable: NAME`;
  }
  const request = new Secret({ ...id, mountRequirement: MOUNTS[as], envVar: envVar || undefined }).toExactRequest();
  return { request, description, optional };
}

function conflictOf({ request }: DeclaredSecret, earlier: readonly DeclaredSecret[]): string | undefined {
  for (const { request: other } of earlier) {
    const variable = sharedVariable(request, other);
    if (variable !== undefined) {
      return `and ${quote(nameOf(other))} are both the variable ${excerpt(variable)}, which holds only one`;
    }
    if (JSON.stringify(request) === JSON.stringify(other)) return `repeats ${quote(nameOf(other))}`;
  }
  return undefined;
}

function isSame(one: SecretRequest, other: SecretRequest): boolean {
  return one.group === other.group && one.key === other.key;
}

/** How messages call what is asked for: `db/password`. */
export function nameOf({ group, key }: Pick<SecretRequest, "group" | "key">): string {
  return [group, key].filter(Boolean).join("/");
}

/** `secrets[3].variable`. */
function toPath(path: Violation["path"]): string {
  return path.map((key, at) => (typeof key === "number" ? `[${key}]` : `${at > 0 ? "." : ""}${excerpt(key)}`)).join("");
}

function lineOf(text: string, path: Violation["path"]): number {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: "error" });
  return lineCounter.linePos(keyOffset(document, path)).line;
}
