import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { currentContext, MountType, Secret, task, workflow } from "@flyte-secrets/sdk";

const mode = async (path) => ((await stat(path)).mode & 0o777).toString(8);

/** Tells where its file is and what is in it. */
export const filed = task(
  { name: "filed", secretRequests: [new Secret({ key: "cert.pem", mountRequirement: MountType.FILE, envVar: "CERT" })] },
  async () => ({
    path: process.env.CERT,
    directory: process.env.FLYTE_SECRETS_DEFAULT_DIR,
    modes: [await mode(process.env.CERT), await mode(dirname(process.env.CERT))],
    hex: (await readFile(process.env.CERT)).toString("hex"),
    same: Buffer.from(await currentContext().getSecret(undefined, "cert.pem", { encoding: "bytes" })).equals(
      await readFile(process.env.CERT),
    ),
  }),
);

/** Tells its process and stays until it is ended; with a variable and a file. */
export const staying = task(
  {
    name: "staying",
    secretRequests: [
      new Secret({ key: "api-key", envVar: "API_KEY" }),
      new Secret({ key: "cert.pem", mountRequirement: MountType.FILE, envVar: "CERT" }),
    ],
  },
  async () => {
    console.log(JSON.stringify({ pid: process.pid, cert: process.env.CERT }));
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  },
);

export const printing = task({ name: "printing", secrets: new Secret({ key: "api-key", asEnvVar: "API_KEY" }) }, async () => {
  console.log("out", process.env.API_KEY);
  console.error("err", Buffer.from(process.env.API_KEY).toString("base64"));
  return { key: process.env.API_KEY };
});

export const leaking = task({ name: "leaking", secrets: new Secret({ key: "api-key", asEnvVar: "API_KEY" }) }, async () => {
  throw new Error(`cannot log in with ${process.env.API_KEY}`);
});

export const global = task({ name: "global", secretRequests: [new Secret({ group: "team", key: "pin" })] }, async () => ({
  pin: currentContext().getSecret("team", "pin").length,
  raw: process.env.FLYTE_SECRET_TEAM_PIN ?? "not here",
  masterKey: process.env.FLYTE_SECRETS_MASTER_KEY ?? "not here",
}));

export const counting = task({ name: "counting", secrets: "count" }, async () => ({ count: Number(process.env.COUNT) }));

const LARGE = Array.from({ length: 9 }, (_, at) => new Secret({ key: `large-${at}`, mountRequirement: MountType.FILE }));

/** The hash of each file that it was given. */
export const large = task({ name: "large", secretRequests: LARGE }, async () => {
  const directory = process.env.FLYTE_SECRETS_DEFAULT_DIR;
  const names = (await readdir(directory)).sort();
  const hash = async (name) => createHash("sha256").update(await readFile(join(directory, name))).digest("hex");
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await hash(name)])));
});

const FOUND = ["archive", "cert.pem"].map((key) =>
  task(
    { name: `finds-${key}`, secretRequests: [new Secret({ key, mountRequirement: MountType.FILE })] },
    async () => await readdir("/etc/flyte/secrets"),
  ),
);

/** Which files each of two tasks finds that run at the same time. */
export const apart = workflow({ name: "apart" }, async () => await Promise.all(FOUND.map((find) => find())));
