import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import { type Finding, ok, problem } from "../doctor/finding.ts";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `doctor`. */
export function doctorCommand(host: Host): Command {
  const command = new Command("doctor")
    .summary("Find out what is wrong, and how to mend it")
    .description(
      "Check the configuration, who can read the data directory and its keys, the store, the running server, its token and " +
        "its clock. Each problem comes with its remedy. Exit code 1 when there is any. Changes nothing.",
    );
  return addSettingOptions(command)
    .addHelpText("after", examples("doctor", "doctor --secret.store.path /srv/secrets"))
    .action(async () => {
      const findings = await diagnose(mergedOptions<SettingOptions>(command), host);
      for (const finding of findings) host.stdout.write(render(finding));
      const problems = findings.filter(({ state }) => state === "problem").length;
      if (problems > 0) throw new SecretsError("check_failed", `${problems} of ${findings.length} checks failed`);
    });
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
