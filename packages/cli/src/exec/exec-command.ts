import { basename } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { excerpt, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";
import { resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";
import type { PythonOptions } from "../python/python-option.ts";
import { giveSecrets } from "../run/give-secrets.ts";
import type { InjectionSettings } from "../run/inject-task.ts";
import { toInjectionSettings } from "../run/injection-settings.ts";
import { createMask } from "../run/mask/mask.ts";
import { createPrivateDirectory, privateDirectoryRoot } from "../run/private-directory.ts";
import { createLocalLookup } from "../store/local-lookup.ts";
import { takeFromEnvironment } from "./environment-secrets.ts";
import { endWithParent, startGuardian } from "./guardian.ts";
import { holdSecrets } from "./hold-secrets.ts";
import { maskOwnSecrets } from "./mask-own-secrets.ts";
import { parseFileRequest, parseVariableRequest } from "./parse-request.ts";
import { type FileRequests, requestsFrom, requestsOfFoundProject } from "./requests-from.ts";
import { runProgram } from "./run-program.ts";

/** What the command line of `exec` gives. */
export interface ExecOptions extends SettingOptions, TaskScopeOptions, PythonOptions {
  readonly secret?: readonly string[];
  readonly file?: readonly string[];
  readonly from?: string;
  readonly mask: boolean;
  readonly redact?: boolean;
  readonly hold?: boolean;
  readonly fromEnv?: boolean;
  readonly mount: boolean;
  readonly verbose?: boolean;
}

interface ExecCall {
  readonly options: ExecOptions;
  readonly cli: CliContext;
  /** What the command gets, if that does not come from the options, and how messages call it. */
  readonly task?: { readonly name: string; readonly requests: readonly SecretRequest[] };
}

/**
 * Runs a command with its secrets and gives its exit code. Files are gone, and the guardian is, when it returns. Throws
 * what the mutator throws.
 */
export async function execCommand(command: readonly string[], { options, cli, task }: ExecCall): Promise<number> {
  const config = await readConfig(options, cli);
  const own = [...(options.secret ?? []).map(parseVariableRequest), ...(options.file ?? []).map(parseFileRequest)];
  const isTold = own.length > 0 || task !== undefined || options.redact === true;
  const from = await askedByFile({ options, cli }, { config, isTold });
  const project = options.project ?? onlyOne("-p", from?.projects);
  const domain = options.domain ?? onlyOne("-d", from?.domains);
  const scope = await resolveTaskScope(
    { ...options, ...(project && { project }), ...(domain && { domain }), needs: from?.needs },
    config,
    cli,
  );
  await using local = createLocalLookup(config, cli);
  const asked = [...own, ...(task?.requests ?? []), ...(from?.requests ?? [])];
  const given = options.fromEnv ? takeFromEnvironment(asked, { config, env: cli.env }) : undefined;
  const lookup = given?.lookup ?? local;
  const { verbose = false, hold = false, redact = false } = options;
  const mask = options.mask && !hold ? createMask({ showNames: redact }) : undefined;
  const warn = (text: string) => cli.stderr.warn(text);
  const directory = await createPrivateDirectory(await privateDirectoryRoot());
  const guardian = startGuardian(directory.path, {
    path: cli.env.PATH,
    onFailure: () => warn("without /bin/sh the command and its files outlive this process if it is killed (SIGKILL)"),
  });
  const launcher = endWithParent(cli.env.PATH);
  let stopIgnoring = (): void => {};
  try {
    const { missingHelp, ...settings } = toInjectionSettings(config, { scope, lookup, verbose, cli });
    const injection = { ...settings, missingHelp: given?.missingHelp ?? missingHelp };
    const inherited = from && (await withoutMissing(from, { injection, cli }));
    const call = toCall(task ?? { name: basename(command[0] ?? "exec"), requests: own }, inherited);
    const { env, mount: opened } = await giveSecrets(call, {
      injection,
      env: hold ? {} : (given?.rest ?? cli.env),
      directory: directory.path,
      // A process that takes over what is held runs already, outside of the namespace.
      mount: options.mount && !hold,
      mask,
      report: verbose ? cli.stderr.raw : undefined,
      warn,
      signal: new AbortController().signal,
    });
    if (hold) return await holdSecrets(env, cli);
    await using mount = opened;
    if (redact && mask !== undefined) await maskOwnSecrets(mask, { config, scope, warn });
    // A signal that the program doesn't get any more must not end this process before it has cleaned up.
    stopIgnoring = cli.relaySignals(() => {});
    const exit = await runProgram({
      command,
      env,
      launcher: [...(mount?.launcher(cli.cwd) ?? []), ...(await launcher)],
      mask,
      cli,
      onStart: (target) => guardian.protect(target),
    });
    if (typeof exit === "number") return exit;
    cli.stderr.write(`error: ${exit.problem}\n`);
    return exit.exit;
  } finally {
    await directory.remove();
    await guardian.dismiss();
    stopIgnoring();
  }
}

/** The requests of the file that is named, or if nothing else says what the command gets, of the project's file. */
async function askedByFile(
  { options, cli }: Pick<ExecCall, "options" | "cli">,
  { config, isTold }: { readonly config: Config; readonly isTold: boolean },
): Promise<FileRequests | undefined> {
  if (options.from !== undefined) return await requestsFrom(options.from, { config, options, cli });
  return isTold ? undefined : await requestsOfFoundProject(options.environment, cli);
}

/** The requests of a file without the optional ones that nothing has. */
async function withoutMissing(from: FileRequests, parts: { injection: InjectionSettings; cli: CliContext }) {
  if (from.optional.size === 0) return from.requests;
  const { skipOptional } = await import("./skip-optional.ts");
  return await skipOptional(from, parts);
}

/** The command as a task, to which the requests of a file come down as those of a workflow around it do. */
function toCall(task: NonNullable<ExecCall["task"]>, inherited: readonly SecretRequest[] = []) {
  return { definition: { kind: "task", ...task }, inherited, input: undefined } as const;
}

function onlyOne(flag: string, names: readonly string[] = []): string | undefined {
  if (names.length < 2) return names[0];
  throw new SecretsError(
    "usage",
    `--from: its pods are of ${names.slice(0, 3).map(excerpt).join(" and ")}; choose one with ${flag}`,
  );
}
