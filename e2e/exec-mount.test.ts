// The files of secrets at `/etc/flyte/secrets`, as programs under `exec` and tasks under `run` see them.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  INJECT_LABEL,
  MountRequirement,
  type SecretRequest,
  type SecretStore,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { createEmbeddedInjector, createMutator, createSecretRefDelivery, type Pod } from "@flyte-secrets/inject";
import { createLookup, createStoreFetcher } from "@flyte-secrets/lookup";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CLI } from "./support/local-home.ts";
import { giveTo, MACHINE_USERS, type MachineUser } from "./support/machine-user.ts";
import { describeWith } from "./support/requirement.ts";
import { runProgram } from "./support/run-program.ts";
import { mountNamespaces, runPod } from "./tasks/kubelet.ts";

const TASKS = join(import.meta.dirname, "../packages/cli/testdata/run/secrets.mjs");
const CERTIFICATE = Buffer.from("a certificate\n");
const ARCHIVE = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 256);

let home: string;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "mount-"));
  const store = await openFilledStore("store");
  await store.close();
});
afterEach(() => rmSync(home, { recursive: true }));

for (const user of MACHINE_USERS) {
  describeWith(mountNamespaces, `${user.title}: a program that asks for files`, () => {
    beforeEach(() => {
      const inStore = readdirSync(join(home, "store")).map((name) => join(home, "store", name));
      giveTo(user, [home, join(home, "store"), ...inStore]);
    });

    it("finds them where they are in a cluster, and is itself as it was", async () => {
      const script = 'cat "$CERT"; echo; echo "$CERT $FLYTE_SECRETS_DEFAULT_DIR"; id -u; pwd; umask; ps -o ppid= -p $$';
      const child = start(user, ["--file", "cert.pem=CERT", "--", "sh", "-c", script]);
      const [certificate, paths, uid, cwd, umask, parent] = (await text(child.stdout)).split("\n");
      expect([certificate, paths]).toEqual(["***", "/etc/flyte/secrets/cert.pem /etc/flyte/secrets"]);
      expect([Number(uid), cwd, umask]).toEqual([user.uid, home, "0022"]);
      expect(Number(parent)).toBe(child.pid);
      // A shell on the way would leave it out.
      const odd = await exec(through(user, ["env", "odd.name=kept"]), ["--file", "cert.pem", "--", "env"]);
      expect(odd.stdout.split("\n")).toContain("odd.name=kept");
    });

    it("finds what a pod gets by the kubelet stand-in: names, bytes, modes and variables", async () => {
      const pod = writePod([
        { key: "cert.pem", envVar: "CERT" },
        { group: "backup", key: "archive", envVar: "ARCHIVE" },
      ]);
      const inPod = await runMutated(pod);
      const here = await exec(user, ["--from", "pod.yaml", "--no-mask", "--", ...LOOK]);
      expect(here).toEqual(inPod);
      expect(here.stdout).toContain(`\n./cert.pem 444 ${sha256(CERTIFICATE)}\n`);
      expect(here.stdout).toContain(`./archive 444 ${sha256(ARCHIVE)}\n`);
      expect(here.stdout).toContain("\nCERT=/etc/flyte/secrets/cert.pem\n");
    });

    it("can't change them, and sees the rest of /etc as it is", async () => {
      const script =
        "touch /etc/flyte/secrets/new; rm -f /etc/flyte/secrets/cert.pem; cmp /etc/passwd passwd && echo same";
      writeFileSync(join(home, "passwd"), readFileSync("/etc/passwd"));
      const { stdout, stderr } = await exec(user, ["--file", "cert.pem", "--", "sh", "-c", script]);
      expect(stderr.match(/Read-only file system/g)).toHaveLength(2);
      expect(stdout).toBe("same\n");
    });

    it("is alone with them: no other process sees them, and no other user", async () => {
      const child = start(user, ["--file", "cert.pem", "--", "sh", "-c", "echo $$; exec sleep 1000"]);
      const pid = await firstLineOf(child.stdout);
      const ofProcess = (id: unknown) => `/proc/${id}/root/etc/flyte/secrets/cert.pem`;
      expect(["self", child.pid].map((id) => existsSync(ofProcess(id)))).toEqual([false, false]);
      if (process.getuid?.() === 0) {
        expect(readFileSync(ofProcess(pid))).toEqual(CERTIFICATE);
        const other = await runProgram("setpriv", ["--reuid=4712", "--clear-groups", "--", "cat", ofProcess(pid)]);
        expect(other).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("Permission denied") });
      }
      child.kill("SIGTERM");
      expect(await exitOf(child)).toEqual(143);
    });

    it("has them in a private directory with --no-mount, and in no namespace if it asks for variables alone", async () => {
      const script = `ls /etc/flyte; stat -c "%a %n" "$CERT" "\${CERT%/*}"
        [ "$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/$PPID/ns/mnt)" ] && echo as outside`;
      const { stdout } = await exec(user, ["--no-mount", "--file", "cert.pem=CERT", "--", "sh", "-c", script]);
      expect(stdout).toMatch(/^400 \/dev\/shm\/flyte-secrets-run-\S+\/cert\.pem\n700 \/dev\/shm\/\S+\nas outside\n$/);
      const variables = await exec(user, ["-s", "cert.pem=CERT", "--", "sh", "-c", script]);
      expect(variables.stdout).toBe("as outside\n");
    });

    it("of TypeScript has them there, and no task those of another", async () => {
      const filed = await command(user, ["run", "--no-mask", TASKS, "filed"]);
      expect(filed).toMatchObject({ exitCode: 0, stderr: "" });
      expect(JSON.parse(filed.stdout)).toEqual({
        path: "/etc/flyte/secrets/cert.pem",
        directory: "/etc/flyte/secrets",
        modes: ["444", "755"],
        hex: CERTIFICATE.toString("hex"),
        same: true,
      });
      const apart = await command(user, ["run", TASKS, "apart"]);
      expect(JSON.parse(apart.stdout)).toEqual([["archive"], ["cert.pem"]]);
    });

    const PRINT = ["--file", "cert.pem=CERT", "--no-mask", "--", "sh", "-c", 'cat "$CERT"; echo "$CERT"; exit 5'];
    const isRoot = user.uid === 0;
    const ROOT_NEEDS = "root needs the capability SYS_ADMIN, and to be able to make that directory";
    const fallenBack = (refusal: string, remedy: string) => ({
      exitCode: 5,
      stdout: expect.stringMatching(/^a certificate\n\/dev\/shm\/\S+\n$/),
      stderr:
        "warning: the files are in $FLYTE_SECRETS_DEFAULT_DIR and not at /etc/flyte/secrets, where this system does " +
        `not let them be mounted (${refusal}): ${remedy}, and --no-mount does without\n`,
    });

    it("has them elsewhere without util-linux, and is told so unless --no-mount says that this will do", async () => {
      const programs = join(home, "programs");
      mkdirSync(programs);
      for (const name of ["sh", "cat", "rm"]) symlinkSync(join("/bin", name), join(programs, name));
      const poor = through(user, ["env", `PATH=${programs}`]);
      const needed = "it needs util-linux 2.35 and user namespaces, which containers often forbid";
      expect(await exec(poor, PRINT)).toEqual(fallenBack("unshare: no such file", isRoot ? ROOT_NEEDS : needed));
      expect(await exec(poor, ["--no-mount", ...PRINT])).toMatchObject({ exitCode: 5, stderr: "" });
    });

    it("has them elsewhere where the system forbids it", async () => {
      const forbidden = through(user, isRoot ? WITHOUT_RIGHT : WITHOUT_NAMESPACES);
      const warned = isRoot
        ? fallenBack("unshare: unshare failed: Operation not permitted", ROOT_NEEDS)
        : fallenBack(
            "unshare: unshare failed: No space left on device",
            "sudo sysctl user.max_user_namespaces=10000 allows it",
          );
      expect(await exec(forbidden, PRINT)).toEqual(warned);
    });

    it.skipIf(process.getuid?.() !== 0)(
      "has them elsewhere where other mounts in /etc keep it from being covered, and not where the directory is there",
      async () => {
        const prepared = (prepare: string) => ({ ...user, launcher: () => user.launcher(home, prepare) });
        const mounted = "mount --bind /etc/hostname /etc/hosts";
        const { stdout, stderr } = await exec(prepared(mounted), PRINT);
        expect(stderr).toMatch(
          isRoot ? /^$/ : /\(mount: .*\): sudo mkdir -p \/etc\/flyte\/secrets, once, allows it, and /,
        );
        expect(stdout).toMatch(isRoot ? /\n\/etc\/flyte\/secrets\/cert\.pem\n$/ : /\n\/dev\/shm\/\S+\n$/);
        const made = prepared(`${mounted}; mkdir -p /etc/flyte/secrets; echo outside > /etc/flyte/secrets/cert.pem`);
        const seen = await exec(made, PRINT);
        expect(seen).toEqual({ exitCode: 5, stdout: "a certificate\n/etc/flyte/secrets/cert.pem\n", stderr: "" });
      },
    );
  });
}

/** The user, started through one more program. */
function through(user: MachineUser, launcher: readonly string[]): MachineUser {
  return { ...user, launcher: (directory) => [...user.launcher(directory), ...launcher] };
}

const WITHOUT_RIGHT = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"];
/** In a user namespace whose own limit is that there are no others. */
const WITHOUT_NAMESPACES = [
  ...["unshare", "--user", "--map-current-user", "--keep-caps", "--", "sh", "-ec"],
  'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"',
  "sh",
];

function commandLine(user: MachineUser, args: readonly string[]): [string, ...string[]] {
  const [program = "", ...words] = [...user.launcher(home), process.execPath, CLI, ...args];
  return [program, ...words];
}

const environment = () => ({
  PATH: process.env.PATH ?? "",
  HOME: home,
  SECRET_STORE_PATH: join(home, "store"),
});

/** The real command, to its end. */
function command(user: MachineUser, args: readonly string[]) {
  const [program, ...words] = commandLine(user, args);
  return runProgram(program, words, { env: environment(), cwd: home });
}

const exec = (user: MachineUser, args: readonly string[]) => command(user, ["exec", ...args]);

function start(user: MachineUser, args: readonly string[]) {
  const [program, ...words] = commandLine(user, ["exec", ...args]);
  return spawn(program, words, { env: environment(), cwd: home });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

async function firstLineOf(output: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) return line;
  throw new Error("it has printed nothing");
}

/** Prints path, mode and hash of each file, and the variables that the mutator sets. */
const LOOK = [
  "sh",
  "-c",
  `cd /etc/flyte/secrets; find . -type f | sort | while read -r file; do
    echo "$file $(stat -c %a "$file") $(sha256sum < "$file" | cut -c1-64)"
  done
  env | grep -E "^(CERT|ARCHIVE|FLYTE_SECRETS_)" | sort`,
];

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function openFilledStore(name: string): Promise<SecretStore> {
  const store = await openEmbeddedStore({ directory: join(home, name) });
  for (const [name, bytes] of Object.entries({ "cert.pem": CERTIFICATE, archive: ARCHIVE })) {
    const value = SecretValue.fromBytes(bytes);
    await store.create({ org: "flyte", project: "", domain: "", name }, { value, type: "generic" });
  }
  return store;
}

/** A pod that asks for files, in `pod.yaml` of the home, too. */
function writePod(requests: readonly Partial<SecretRequest>[]): Pod {
  const FILE = { group: "", groupVersion: "", key: "", envVar: "", mountRequirement: MountRequirement.FILE };
  const pod: Pod = {
    metadata: {
      namespace: "p-development",
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project: "p", domain: "development" },
      annotations: toRequestAnnotations(requests.map((request) => ({ ...FILE, ...request }))),
    },
    spec: { containers: [{ name: "main", image: "main", command: LOOK }] },
  };
  const manifest = { apiVersion: "v1", kind: "Pod", ...pod };
  writeFileSync(join(home, "pod.yaml"), JSON.stringify(manifest));
  return pod;
}

/** What the pod's container prints, after it was mutated as by the webhook. */
async function runMutated(pod: Pod) {
  const store = await openFilledStore("store-of-the-webhook");
  const secrets = new Map<string, Readonly<Record<string, SecretValue>>>();
  const mutator = createMutator({
    managers: [createEmbeddedInjector({ lookup: createLookup({ fetcher: createStoreFetcher(store) }) })],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
    delivery: createSecretRefDelivery({
      writer: {
        async write(_, written) {
          for (const { name, data } of written) secrets.set(name, data);
        },
      },
    }),
  });
  const mutation = await mutator.mutate(pod);
  await store.close();
  if (!mutation.changed) throw new Error("nothing was injected");
  const images = { main: { variables: { PATH: "/usr/bin:/bin" } } };
  return await runPod(mutation.pod, { images, secrets, directory: createTemporaryDirectory() });
}
