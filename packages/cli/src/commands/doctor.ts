import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import { type Finding, ok, problem } from "../doctor/finding.ts";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

interface DoctorOptions extends SettingOptions {
  readonly pods?: string;
}

/** `doctor`. */
export function doctorCommand(host: Host): Command {
  const command = new Command("doctor")
    .summary("Find out what is wrong, and how to mend it")
    .description(
      "Check the configuration, who can read the data directory and its keys, the store, the running server, its token and " +
        "its clock. Or, with --pods, find the pods of a cluster that should have been given secrets and were not. Each problem " +
        "comes with its remedy. Exit code 1 when there is any. Changes nothing.",
    )
    .option("--pods <file>", "instead: check the pods in this YAML or JSON file; - is standard input");
  return addSettingOptions(command)
    .addHelpText(
      "after",
      examples(
        "doctor",
        "doctor --secret.store.path /srv/secrets",
        "kubectl get pods -A -o json | flyte-secrets doctor --pods -",
      ),
    )
    .action(async () => {
      const options = mergedOptions<DoctorOptions>(command);
      const findings = options.pods === undefined ? await diagnose(options, host) : await inspect(options.pods, host);
      for (const finding of findings) host.stdout.write(render(finding));
      const problems = findings.filter(({ state }) => state === "problem").length;
      if (problems > 0) throw new SecretsError("check_failed", `${problems} of ${findings.length} checks failed`);
    });
}

async function inspect(file: string, host: Host): Promise<Finding[]> {
  const { checkPods } = await import("../doctor/check-pods.ts");
  const { readManifestFile } = await import("../manifests/read-manifest-file.ts");
  return checkPods(await readManifestFile(file, "--pods", host));
}

async function diagnose(options: SettingOptions, host: Host): Promise<Finding[]> {
  const { checkFiles } = await import("../doctor/check-files.ts");
  const { checkServer } = await import("../doctor/check-server.ts");
  const { checkStore } = await import("../doctor/check-store.ts");
  try {
    const config = await readConfig(options, host);
    return [
      ok(`Node ${host.nodeVersion}, configuration in order`),
      ...checkFiles(config),
      await checkStore(config),
      ...(await checkServer(config)),
    ];
  } catch (error) {
    if (!isSecretsError(error, "invalid_config")) throw error;
    return [problem(error.message, "correct the configuration; nothing else was checked")];
  }
}

function render(finding: Finding): string {
  const line = `${MARKS[finding.state]}${finding.what}\n`;
  return finding.state === "problem" ? `${line}${" ".repeat(MARKS.problem.length)}${finding.remedy}\n` : line;
}

const MARKS = { ok: "ok       ", note: "note     ", problem: "problem  " } as const;
