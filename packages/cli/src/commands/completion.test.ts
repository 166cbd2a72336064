import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CLI } from "../testing/run-cli.ts";
import { useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

describe("completion in bash", () => {
  it("completes commands, options and choices as the real shell asks for them", async () => {
    const { stdout } = await at.call("completion", "bash");
    const path = join(at.home, "bin");
    mkdirSync(path);
    writeFileSync(join(path, "flyte-secrets"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, {
      mode: 0o755,
    });
    const answers = bash(
      `${stdout}
       ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _flyte_secrets; echo "\${COMPREPLY[*]}"; }
       ask flyte-secrets cre
       ask flyte-secrets create secret n --ty
       ask flyte-secrets create secret n --type image
       ask flyte-secrets nothing-like-it`,
      path,
    );
    expect(answers).toBe("create\n--type\nimage_pull\n\n");
  });
});

function bash(script: string, path: string): string {
  const env = { PATH: `${path}:${process.env.PATH}` };
  return execFileSync("bash", ["-c", script], { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
