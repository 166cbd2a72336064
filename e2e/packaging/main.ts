// What a user's project has: installed from tarballs, checked with strict types, run on the oldest Node that is
// supported.
import {
  currentContext,
  isSecretsError,
  MountType,
  Secret,
  type Task,
  task,
  toPod,
  workflow,
} from "@flyte-secrets/sdk";
import { resolveConnection } from "@flyte-secrets/sdk/remote";

class Jobs {
  readonly suffix: string = "!";

  @task({ name: "shout", secrets: "shout-key" })
  async shout(input: { word: string }): Promise<string> {
    return input.word.toUpperCase() + this.suffix;
  }
}

const password = new Secret({ group: "db", key: "password", mountRequirement: MountType.ENV_VAR });
const read: Task<[], string> = task({ name: "read", secretRequests: [password] }, async () =>
  currentContext().getSecret("db", "password"),
);
const all = workflow({ name: "all", secrets: ["shared"] }, async () => ({
  shouted: await new Jobs().shout({ word: "hi" }),
  read: await read(),
  annotations: toPod(read, { image: "i", project: "p", domain: "d" }).metadata.annotations,
}));

process.env._FSEC_DB_PASSWORD = "from a variable";
let refused = "";
try {
  currentContext().getSecret("no", "secret");
} catch (error) {
  if (isSecretsError(error, "secret_not_readable")) refused = error.code;
}
const { endpoint } = await resolveConnection({ endpoint: "dns:///localhost:8093", insecure: true });
console.log(JSON.stringify({ ...(await all()), refused, endpoint, node: process.versions.node.split(".")[0] }));
