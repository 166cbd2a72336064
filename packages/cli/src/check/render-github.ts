import { about, describe } from "./describe-verdict.ts";
import type { Level, Verdict } from "./verdict.ts";

const COMMANDS: Readonly<Record<Exclude<Level, "ok">, string>> = { note: "notice", warning: "warning", error: "error" };

/**
 * Verdicts as workflow commands of GitHub Actions, which become annotations of the files; none for what is as it should
 * be. https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function renderGithub(verdicts: readonly Verdict[]): string {
  return verdicts
    .flatMap((one) => {
      if (one.level === "ok") return [];
      const properties = { file: one.file, line: "1", title: about(one) };
      const written = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(value)}`);
      return [`::${COMMANDS[one.level]} ${written.join(",")}::${escapeData(describe(one))}\n`];
    })
    .join("");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
