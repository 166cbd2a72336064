import type { Config } from "@flyte-secrets/config";
import { excerpt, fromRequestAnnotations, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { taskFilePath } from "../options/task-file.ts";
import type { PythonOptions } from "../python/python-option.ts";

/** What a file asks for, and for whose tasks. */
export interface FileRequests {
  readonly requests: readonly SecretRequest[];
  /** Each once; empty where the file names none. */
  readonly projects: readonly string[];
  readonly domains: readonly string[];
}

export interface RequestsFromOptions {
  readonly config: Config;
  readonly options: PythonOptions;
  readonly cli: CliContext;
}

/**
 * The requests in the file of `--from`: those of the task that it names of a Python file, or of all its tasks, which
 * may be none; else those of every pod in a manifest. Throws `usage` where no pod asks for any.
 */
export async function requestsFrom(
  source: string,
  { config, options: { python }, cli }: RequestsFromOptions,
): Promise<FileRequests> {
  const [, file, task] = PYTHON_SOURCE.exec(source) ?? [];
  if (file === undefined) return await requestsOfPods(source, config, cli);
  const { loadPythonFile } = await import("../python/load-python-file.ts");
  const { requestsOfPythonTask } = await import("../python/python-requests.ts");
  const from = await loadPythonFile(taskFilePath(file, cli.cwd), { config, cli, python });
  return { requests: requestsOfPythonTask(from, task), projects: [], domains: [] };
}

/** `FILE.py` or `FILE.py:TASK`. */
const PYTHON_SOURCE = /^(.+\.py)(?::(.+))?$/s;

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
    projects: labels("project"),
    domains: labels("domain"),
  };
}
