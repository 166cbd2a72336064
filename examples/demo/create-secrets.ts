import type { Stage } from "./stage.ts";

/** One entry of `get secret -o json`, as far as the demo shows it. */
interface ListedSecret {
  readonly id: { readonly name: string; readonly project?: string; readonly domain?: string };
  readonly secretMetadata: { readonly type?: string };
}

/** Creates a secret in every way and at every scope, all at once, and lists them. */
export async function createSecrets({ screen, commands, values, write }: Stage): Promise<void> {
  screen.step("Secrets, created by commands in other processes");
  await write("db-config", values["db-config"]);
  const auth = Buffer.from(`octocat:${values.registry}`).toString("base64");
  await write("docker.json", JSON.stringify({ auths: { "ghcr.io": { auth } } }));

  const typed = "flyte-secrets create secret my-api-key -p flytesnacks -d development";
  const others: readonly { readonly line: string; readonly input?: string; readonly remark?: string }[] = [
    {
      line: "flyte-secrets create secret my-api-key --from-file -",
      input: values["my-api-key, global"],
      remark: "global",
    },
    { line: "flyte-secrets create secret openai-key -d development --from-file -", input: values["openai-key"] },
    {
      line: "flyte-secrets create secret password -p flytesnacks -d development --from-file -",
      input: values.password,
    },
    { line: "flyte-secrets create secret session-key --from-file -", input: values["session-key"] },
    { line: "flyte-secrets create secret db-config --from-file ~/db-config", remark: "64 bytes, no text" },
    {
      line: "flyte-secrets create secret ghcr --type image_pull --from-docker-config --docker-config-path ~/docker.json",
    },
  ];
  const onTerminal = commands.type(typed, values["my-api-key"]);
  const outcomes = await Promise.all([onTerminal, ...others.map(({ line, input }) => commands.run(line, input))]);

  screen.command(typed, "typed at its prompt");
  for (const { line, remark } of others) screen.command(line, remark);
  const created = outcomes.every(({ exitCode, stdout }) => exitCode === 0 && stdout.includes("Created secret"));
  screen.check("each is acknowledged", created);
  screen.check("the terminal did not show what was typed", !(await onTerminal).stdout.includes(values["my-api-key"]));

  screen.command("flyte-secrets get secret");
  const { stdout } = await commands.run("flyte-secrets get secret -o json");
  // The shape is fixed by docs and tests of the command; a wrong one shows in the table and fails the check.
  const secrets = JSON.parse(stdout) as readonly ListedSecret[];
  screen.table([
    ["project", "domain", "name", "type"],
    ...secrets.map(({ id, secretMetadata: { type } }) => [
      id.project ?? "-",
      id.domain ?? "-",
      id.name,
      type === undefined ? "regular" : "image pull",
    ]),
  ]);
  screen.check("all seven are there", secrets.length === outcomes.length);
}
