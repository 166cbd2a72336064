import {
  checkSecretId,
  DEFAULT_ORGANIZATION,
  type SecretScope,
  type SecretStore,
  SecretsError,
} from "@flyte-secrets/core";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  addLocalOption,
  addScopeOptions,
  checkSecretOptions,
  describeScope,
  type ScopeOptions,
} from "../options/secret-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

interface CopyOptions extends ScopeOptions, SettingOptions {
  readonly toProject?: string;
  readonly toDomain?: string;
  readonly toGlobal?: boolean;
  readonly toName?: string;
  readonly all?: boolean;
  readonly overwrite?: boolean;
  readonly skipExisting?: boolean;
  readonly dryRun?: boolean;
}

/** `copy` and `move`: secrets of one scope to another, or to another name. */
export function copyCommand(how: "copy" | "move", cli: CliContext): Command {
  const isMove = how === "move";
  const command = new Command(how)
    .summary(isMove ? "Move secrets to another scope or name" : "Copy secrets to another scope or name")
    .description(
      `${isMove ? "Move" : "Copy"} secrets of this machine's store from one scope (-p and -d, or global) to another. ` +
        "Values are not shown. " +
        "All names are looked at before the first is written. " +
        (isMove
          ? "Each secret moves in one transaction, and its copy is read back before the old one goes: interrupted " +
            "at any time, it is at one of the two."
          : "Each secret is copied in one transaction; interrupted, those that are copied stay."),
    )
    .argument("[names...]", "the secrets' names")
    .option("--all", "all secrets of exactly that scope");
  addScopeOptions(command);
  command
    .optionsGroup("Target:")
    .option("--to-project <project>", "project to put them in; needs --to-domain")
    .option("--to-domain <domain>", "domain to put them in")
    .option("--to-global", "put them at global scope")
    .option("--to-name <name>", "another name, for one secret; without the options above in the same scope")
    .option("--overwrite", "replace the values of secrets that are there")
    .option("--skip-existing", "leave secrets that are there as they are, in both places")
    .option("--dry-run", "say what would be done, and do nothing");
  addLocalOption(command);
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        `${how} api-key -p shop -d development --to-project shop --to-domain production`,
        `${how} --all -d development --to-domain staging --dry-run`,
        `${how} api-key -d production --to-name payment-key`,
      ),
    )
    .action((names: string[]) =>
      copy(how, { names: [...new Set(names)], options: mergeOptions<CopyOptions>(command), cli }),
    );
}

interface CopyCall {
  readonly names: readonly string[];
  readonly options: CopyOptions;
  readonly cli: CliContext;
}

async function copy(how: "copy" | "move", { names, options, cli }: CopyCall): Promise<void> {
  const { from, to } = checkOptions(names, options);
  const { overwrite = false, skipExisting = false, dryRun = false, toName } = options;
  const { copySecrets } = await import("../bulk/copy-secrets.ts");
  const { createProgress } = await import("../bulk/progress.ts");
  const { renderCopies } = await import("../bulk/report.ts");
  const { listNames, withOwnStore } = await import("../store/own-store.ts");
  const config = await readConfig(options, cli);
  const org = config.secret.organization;
  await withOwnStore(config, async (store) => {
    const chosen = options.all ? await listNames(store, { org, ...from }) : names;
    if (chosen.length === 0) throw new SecretsError("not_found", `there are no secrets at ${describeScope(from)}`);
    const pairs = chosen.map((name) => ({ from: { org, ...from, name }, to: { org, ...to, name: toName ?? name } }));
    const note = await noteOfNewTarget(store, { org, ...to });
    const signal = cli.interruption();
    using progress = createProgress(how === "move" ? "Moving" : "Copying", pairs.length, cli);
    progress.show(0);
    const existing = overwrite ? "overwrite" : skipExisting ? "skip" : "refuse";
    const onProgress = (done: number) => progress.show(done);
    const copied = await copySecrets(store, pairs, { how, existing, dryRun, signal, onProgress });
    progress[Symbol.dispose]();
    cli.stderr.write(note);
    const where = `from ${describeScope(from)} to ${describeScope(to)}`;
    cli.stdout.write(renderCopies(copied, { how, where, dryRun }));
  });
}

/** Empty where the target, or a scope within it, holds secrets. */
async function noteOfNewTarget(store: SecretStore, { org, ...to }: SecretScope): Promise<string> {
  const { listScopes } = await import("../store/own-store.ts");
  const { describeNewScope } = await import("../secrets/new-scope.ts");
  const holders = await listScopes(store, org);
  const isHeld = holders.some(
    (held) => held.domain === to.domain && (to.project === "" || held.project === to.project),
  );
  return isHeld || to.domain === "" ? "" : describeNewScope(to, holders);
}

type Scope = Omit<SecretScope, "org">;

/** From where to where. Everything that can be refused without the store. */
function checkOptions(names: readonly string[], options: CopyOptions): { from: Scope; to: Scope } {
  const { project = "", domain = "", toProject, toDomain, toGlobal, toName, all, overwrite, skipExisting } = options;
  rejectCombination({ "--all": all, "a name": names.length > 0 });
  rejectCombination({ "--overwrite": overwrite, "--skip-existing": skipExisting });
  rejectCombination({ "--to-global": toGlobal, "--to-domain": toDomain });
  rejectCombination({ "--to-global": toGlobal, "--to-project": toProject });
  if (!all && names.length === 0) throw new SecretsError("usage", "say which secrets: their names, or --all");
  if (toName !== undefined && names.length !== 1) throw new SecretsError("usage", "--to-name is for one secret");
  const from = { project, domain };
  for (const name of all ? ["any"] : names) checkSecretOptions(from, name);
  if (toProject !== undefined && toDomain === undefined) {
    throw new SecretsError("usage", "--to-project needs --to-domain");
  }
  const isElsewhere = toDomain !== undefined || toGlobal === true;
  if (!isElsewhere && toName === undefined) {
    throw new SecretsError(
      "usage",
      "say where to: --to-project and --to-domain, --to-domain, --to-global or --to-name",
    );
  }
  const to = isElsewhere ? { project: toProject ?? "", domain: toDomain ?? "" } : from;
  for (const name of all ? ["any"] : names) checkSecretId({ org: DEFAULT_ORGANIZATION, ...to, name: toName ?? name });
  const isSame = to.project === project && to.domain === domain && (toName === undefined || toName === names[0]);
  if (isSame) throw new SecretsError("usage", "source and target are the same");
  return { from, to };
}
