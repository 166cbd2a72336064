import { listEntries, type Section, type Setting } from "@flyte-secrets/config";

const HEAD = `# Configuration

The configuration is YAML with Flyte's sections, keys and defaults, so that an existing Flyte configuration works
unchanged. Every setting has a default; on one machine nothing has to be configured.

\`\`\`yaml
secret:
  server: { port: 9000 }
logger: { level: info }
\`\`\`

## Where it comes from

Settings have four sources. A later source overrides an earlier one:

1. the defaults below;
2. files: those of \`--config\`, which takes a file or a glob and may be repeated. The matches of a glob are merged in name
   order, and later files override single keys. A pattern without a match is an error. Without \`--config\` these are
   \`./config.yaml\` and then \`/etc/flyte/config/config.yaml\`, if they exist. \`./config.yaml\` depends on the current
   directory. It is therefore ignored, with a warning, if others than this user and root may write it, and it may contain
   only \`logger\`, \`cache\`, \`otel.sampler\`, \`secret.organization\`, \`secret.server.port\`, \`webhook.listenPort\`,
   \`webhook.secretEnvVarPrefix\`, \`webhook.secretEnvVarNaming\` and \`webhook.webhookTimeout\`. For other settings, name
   the file: \`--config config.yaml\`;
3. the environment: the key's path in upper case with \`-\` as \`_\`, either with dots (\`SECRET.SERVER.PORT\`, Flyte's form,
   which takes precedence) or with \`_\` for the dots (\`SECRET_SERVER_PORT\`). An empty variable counts as not set. Lists are
   separated by commas; maps are YAML or JSON. A Kubernetes Service named \`secret-server\` in the pod's namespace makes
   Kubernetes set \`SECRET_SERVER_PORT\` too: set \`enableServiceLinks: false\` on the pod;
4. flags: \`--secret.server.port 9000\`.

Sections, keys and enum values are matched without regard to case. A map may be written as a list of one-key maps. An
unknown key in one of these sections is an error that names file, line and the nearest known key; other sections are
ignored. Durations are Go's (\`30s\`, \`1m30s\`), quantities are Kubernetes' (\`500Mi\`, \`200m\`).

Two things are never in a configuration file: the token, which has a file of its own (\`secret.auth.tokenFile\`), and the
store's master key. The Embedded store takes its master key from \`FLYTE_SECRETS_MASTER_KEY\` (32 bytes in base64,
\`openssl rand -base64 32\`) in the environment, or else from \`master.key\` in its directory, which it creates on first use.

## Every setting

Settings without effect are read and checked, so that a Flyte configuration loads.
`;

const EFFECTS: Readonly<Record<Setting["effect"], string>> = {
  now: "yes",
  never: "no, as in Flyte",
};

/** `docs/configuration.md`: every section and setting in the order of the schema. */
export function renderConfigurationPage(): string {
  return `${HEAD}${listEntries().map(renderEntry).join("")}`;
}

function renderEntry(entry: Section | Setting): string {
  if ("type" in entry) {
    const cells = [`\`${entry.path}\``, `\`${entry.default}\``, entry.type, entry.about, EFFECTS[entry.effect]];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  }
  if (entry.path.includes(".")) return `| **\`${entry.path}\`** | | | ${entry.about} | |\n`;
  return (
    `\n### ${entry.path}\n\n${entry.about}\n\n| key | default | takes | what for | in effect |\n| --- | --- | --- ` +
    "| --- | --- |\n"
  );
}
