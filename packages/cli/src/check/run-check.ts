import { basename } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { type SecretId, type SecretScope, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { readProjectFile } from "../exec/requests-from.ts";
import { openManagers } from "../explain/open-managers.ts";
import { UNKNOWN_CREATOR } from "../mutate/local-admission.ts";
import type { NamespaceLabelsOptions } from "../options/namespace-labels.ts";
import { shellWord } from "../options/shell-word.ts";
import { isTaskFile } from "../options/task-file.ts";
import { resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";
import { findProjectFile, isProjectFile, PROJECT_FILE } from "../project-file/find-project-file.ts";
import { needsIn, type ProjectNeeds } from "../project-file/project-file.ts";
import type { PythonOptions } from "../python/python-option.ts";
import { describeOtherPlaces, listOwnIds } from "../secrets/missing-secret.ts";
import { checkSubject } from "./check-subject.ts";
import { compareWithProject, type Declaration, type TaskFile } from "./compare-project.ts";
import { openService } from "./open-service.ts";
import { readTasks } from "./read-tasks.ts";
import { type Subject, type TaskPlace, toPodSubjects, toProjectSubject, toTaskSubject } from "./subject.ts";
import type { Verdict } from "./verdict.ts";

/** What the command line of `check` gives about whose requests are judged, and by what. */
export interface CheckOptions extends TaskScopeOptions, NamespaceLabelsOptions, PythonOptions {
  readonly namespace: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly require?: "narrowest-scope";
  /** Address of the service that is asked instead of this machine's store. */
  readonly endpoint?: string;
  readonly insecure?: boolean;
}

interface CheckCall {
  readonly config: Config;
  readonly options: CheckOptions;
  readonly cli: CliContext;
}

/**
 * Judges all that the tasks, pods and project files of these files ask for, in their order; without files, the project
 * file that is found. Where both task files and a project file are named, they are compared, too. Throws `usage` where
 * there is no file, and as the readers of files do.
 */
export async function runCheck(files: readonly string[], { config, options, cli }: CheckCall): Promise<Verdict[]> {
  const { subjects, tasks, declarations, scope } = await readSubjects(files, { config, options, cli });
  await using service = await openService(config, { options, cli });
  await using asked = openManagers(config, { options, cli, ...(service && { lookup: service.lookup }) });
  const { secretEnvVarPrefix: prefix, secretEnvVarNaming: style, scopeBinding } = config.webhook;
  const { as, asGroup = [] } = options;
  let ids: Promise<readonly SecretId[]> | undefined;
  const call = {
    ...asked,
    variables: { prefix, style },
    // Whoever is not named may be a trusted creator.
    admission: as === undefined ? asked.admission : { ...asked.admission, warnOnly: scopeBinding.mode === "warn" },
    creator: as === undefined ? UNKNOWN_CREATOR : { username: as, groups: asGroup },
    narrowestOnly: options.require === "narrowest-scope",
    async helpWith(key: string, { project = "", domain = "" }: Readonly<Record<string, string>>) {
      ids ??= service?.listIds() ?? listOwnIds({ config, scope });
      const places = describeOtherPlaces(key, await ids, { org: scope.org, project, domain });
      if (places.length > 0) return places.map((line) => line.trim()).join(" ");
      return `flyte-secrets create secret ${shellWord(key)} -p ${shellWord(project)} -d ${shellWord(domain)}`;
    },
  };
  const verdicts: Verdict[] = [];
  for (const subject of subjects) verdicts.push(...(await checkSubject(subject, call)));
  if (tasks.length === 0) return verdicts;
  return [...verdicts, ...declarations.flatMap((one) => compareWithProject(one, tasks))];
}

interface ReadSubjects {
  readonly subjects: readonly Subject[];
  readonly tasks: readonly TaskFile[];
  readonly declarations: readonly Declaration[];
  /** Of the tasks. */
  readonly scope: SecretScope;
}

async function readSubjects(files: readonly string[], call: CheckCall): Promise<ReadSubjects> {
  const { config, options, cli } = call;
  const projects = await readProjects(files, call);
  const scopeOf = (needs: ProjectNeeds | undefined) => resolveTaskScope({ ...options, needs }, config, cli);
  const scope = await scopeOf(projects[0]?.needs);
  const { limits } = config.webhook;
  const subjects: Subject[] = [];
  const tasks: TaskFile[] = [];
  for (const file of files.filter((one) => !isProjectFile(one))) {
    if (file.endsWith(".pb")) subjects.push(await readSpecSubject(file, { scope, limits }, call));
    else if (isTaskFile(file, cli.cwd)) {
      const found = await readTasks(file, { config, cli, python: options.python });
      tasks.push({ file, tasks: found });
      subjects.push(...found.map((task) => toTaskSubject(file, task, { scope, limits })));
    } else subjects.push(...(await readPodSubjects(file, call)));
  }
  for (const { file, needs } of projects) {
    subjects.push(toProjectSubject(file, needs, { scope: await scopeOf(needs), limits }));
  }
  const declarations = projects.map(({ file, needs }) => ({ file, secrets: needs.secrets }));
  return { subjects, tasks, declarations, scope };
}

/** The project files that are named, or without any file the one that is found. */
async function readProjects(files: readonly string[], { options, cli }: CheckCall) {
  const read = async (file: string) => ({
    file,
    needs: needsIn(await readProjectFile(file, "FILE", cli), options.environment),
  });
  if (files.length > 0) return await Promise.all(files.filter(isProjectFile).map(read));
  const found = await findProjectFile(cli, (name) => `To use it all the same, name it: check ${name}`);
  if (found !== undefined) return [{ file: found.name, needs: needsIn(found, options.environment) }];
  throw new SecretsError("usage", `name files with tasks or pods, or keep a ${PROJECT_FILE} in the project`);
}

async function readSpecSubject(file: string, place: TaskPlace, { cli }: CheckCall): Promise<Subject> {
  const { readTaskSpec } = await import("./read-task-spec.ts");
  const { readInput } = await import("../values/read-input.ts");
  const task = readTaskSpec(await readInput(file, { option: "FILE", cli }), basename(file));
  return toTaskSubject(file, task, place);
}

async function readPodSubjects(file: string, { config, options, cli }: CheckCall): Promise<readonly Subject[]> {
  const { readManifestFile } = await import("../manifests/read-manifests.ts");
  const { limits } = config.webhook;
  return toPodSubjects(file, await readManifestFile(file, "FILE", cli), { namespace: options.namespace, limits });
}
