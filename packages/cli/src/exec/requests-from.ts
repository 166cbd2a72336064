import type { Config } from "@flyte-secrets/config";
import { excerpt, fromRequestAnnotations, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { taskFilePath } from "../options/task-file.ts";
import {
  findProjectFile,
  isProjectFile,
  MAX_PROJECT_FILE_BYTES,
  PROJECT_FILE,
} from "../project-file/find-project-file.ts";
import type { ProjectFile, ProjectNeeds } from "../project-file/project-file.ts";
import type { PythonOptions } from "../python/python-option.ts";

/** What a file asks for, and for whose tasks. */
export interface FileRequests {
  readonly requests: readonly SecretRequest[];
  /** Those of the requests that a program may go without. */
  readonly optional: ReadonlySet<SecretRequest>;
  /** Each once; empty where the file names none. */
  readonly projects: readonly string[];
  readonly domains: readonly string[];
  /** What the file says, if it is a project file. */
  readonly needs?: ProjectNeeds;
}

export interface RequestsFromOptions {
  readonly config: Config;
  readonly options: PythonOptions & { readonly environment?: string };
  readonly cli: CliContext;
}

/**
 * The requests in the file of `--from`: those of a project file, in one of its environments; those of the task that it
 * names of a Python file, or of all its tasks, which may be none; else those of every pod in a manifest. Throws `usage`
 * where no pod asks for any.
 */
export async function requestsFrom(
  source: string,
  { config, options: { python, environment }, cli }: RequestsFromOptions,
): Promise<FileRequests> {
  if (isProjectFile(source)) return await requestsOfProject(await readProjectFile(source, "--from", cli), environment);
  const [, file, task] = PYTHON_SOURCE.exec(source) ?? [];
  if (file === undefined) return await requestsOfPods(source, config, cli);
  const { loadPythonFile } = await import("../python/load-python-file.ts");
  const { requestsOfPythonTask } = await import("../python/python-requests.ts");
  const from = await loadPythonFile(taskFilePath(file, cli.cwd), { config, cli, python });
  return { requests: requestsOfPythonTask(from, task), optional: new Set(), projects: [], domains: [] };
}

/** `FILE.py` or `FILE.py:TASK`. */
const PYTHON_SOURCE = /^(.+\.py)(?::(.+))?$/s;

/**
 * The requests of the project file that is found: a note says which it is. Throws `usage` where there is none that
 * counts.
 */
export async function requestsOfFoundProject(environment: string | undefined, cli: CliContext): Promise<FileRequests> {
  const file = await findProjectFile(cli, (name) => `To use it all the same, name it: --from ${name}`);
  if (file === undefined) {
    throw new SecretsError(
      "usage",
      "say which secrets the program gets: -s KEY in a variable, --file KEY in a file, --from FILE as a pod asks; or " +
        `keep a ${PROJECT_FILE} in the project`,
    );
  }
  const found = await requestsOfProject(file, environment);
  cli.stderr.write(`note: it gets the secrets of ${file.name}\n`);
  return found;
}

/** The project file that the command line names by `option`, whosever it is. */
export async function readProjectFile(path: string, option: string, cli: CliContext): Promise<ProjectFile> {
  const { parseProjectFile } = await import("../project-file/project-file.ts");
  const { readText } = await import("../values/read-input.ts");
  return parseProjectFile(await readText(path, { option, cli, maxBytes: MAX_PROJECT_FILE_BYTES }), path);
}

async function requestsOfProject(file: ProjectFile, environment: string | undefined): Promise<FileRequests> {
  const { needsIn } = await import("../project-file/project-file.ts");
  const needs = needsIn(file, environment);
  const requests = needs.secrets.map(({ request }) => request);
  const optional = new Set(needs.secrets.filter((one) => one.optional).map(({ request }) => request));
  return { requests, optional, projects: [], domains: [], needs };
}

async function requestsOfPods(file: string, { webhook }: Config, cli: CliContext): Promise<FileRequests> {
  const { readManifestFile } = await import("../manifests/read-manifests.ts");
  const { withSparkPods } = await import("../manifests/spark-pods.ts");
  const { podsInObject } = await import("../manifests/pod-in-object.ts");
  const objects = await readManifestFile(file, "--from", cli);
  const asking = objects
    .flatMap(withSparkPods)
    .flatMap((object) => podsInObject(object, "default"))
    .map(({ pod: { metadata } }) => ({
      labels: metadata?.labels ?? {},
      requests: fromRequestAnnotations(metadata?.annotations ?? {}, webhook.limits),
    }))
    .filter(({ requests }) => requests.length > 0);
  if (asking.length === 0) throw new SecretsError("usage", `--from: no pod in ${excerpt(file)} asks for a secret`);
  const labels = (name: string) => [...new Set(asking.flatMap(({ labels }) => labels[name] ?? []))];
  return {
    requests: asking.flatMap(({ requests }) => requests),
    optional: new Set(),
    projects: labels("project"),
    domains: labels("domain"),
  };
}
