import { currentContext, MountType, Secret, task, workflow } from "@flyte-secrets/sdk";
import { receive } from "./receive.ts";

/** Input of the tasks: the digest of what they should be given. Leave it out when you run one yourself. */
interface Expected {
  readonly sha256?: string | undefined;
}

/** By its name alone: the variable is the name in upper case, with `-` as `_`. */
export const byString = task({ name: "by-string", secrets: "my-api-key" }, async (expected?: Expected) =>
  receive("by-string", process.env.MY_API_KEY, expected?.sha256),
);

/** In a variable of the task's choice. */
export const byVariable = task(
  { name: "by-variable", secrets: new Secret({ key: "openai-key", asEnvVar: "OPENAI_API_KEY" }) },
  async (expected?: Expected) => receive("by-variable", process.env.OPENAI_API_KEY, expected?.sha256),
);

/** As a file, which may hold any bytes. */
export const byFile = task(
  { name: "by-file", secrets: new Secret({ key: "db-config", mount: "/etc/flyte/secrets" }) },
  async (expected?: Expected) => {
    const bytes = currentContext().getSecret(undefined, "db-config", { encoding: "bytes" });
    return receive("by-file", bytes, expected?.sha256);
  },
);

/** By group and key, in flytekit's form. */
export const byGroup = task(
  {
    name: "by-group",
    secretRequests: [new Secret({ group: "my-db-credentials", key: "password", mountRequirement: MountType.ENV_VAR })],
  },
  async (expected?: Expected) => {
    const password = currentContext().getSecret("my-db-credentials", "password");
    return receive("by-group", password, expected?.sha256);
  },
);

/** Asks for nothing itself: the workflow around it does. */
export const inherits = task({ name: "inherits" }, async (expected?: Expected) =>
  receive("inherits", process.env.SESSION_KEY, expected?.sha256),
);

/** Every task called in a workflow is given the workflow's secrets too. */
export const nightly = workflow(
  { name: "nightly", secrets: new Secret({ key: "session-key", asEnvVar: "SESSION_KEY" }) },
  async (expected?: Expected) => inherits(expected),
);

/** All of them at once. The input has the digest of each secret, by its name. */
export const tour = workflow({ name: "tour" }, async (sha256: Readonly<Record<string, string>> = {}) => {
  const expecting = (name: string): Expected => ({ sha256: sha256[name] });
  const [string, variable, file, group, inherited] = await Promise.all([
    byString(expecting("my-api-key")),
    byVariable(expecting("openai-key")),
    byFile(expecting("db-config")),
    byGroup(expecting("password")),
    nightly(expecting("session-key")),
  ]);
  return {
    "by-string": string,
    "by-variable": variable,
    "by-file": file,
    "by-group": group,
    inherits: inherited,
  };
});
