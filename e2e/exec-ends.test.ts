// Two hundred ends of `exec` on a terminal, in each way that people and systems have of ending a program.
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { CONTROL_C, startOnTerminal, type Terminal } from "@flyte-secrets/testkit/terminal";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CLI } from "./support/local-home.ts";
import { giveTo, MACHINE_USERS, type MachineUser } from "./support/machine-user.ts";
import { describeWith } from "./support/requirement.ts";
import { mountNamespaces } from "./tasks/kubelet.ts";

/** Ends of each kind for each set of options; they happen at the same time. */
const TIMES = 10;

interface End {
  readonly title: string;
  /** Run by a shell, which has printed its process id. */
  readonly script: string;
  act(running: Running): Promise<unknown>;
  /** As a shell has it: 128 + n after signal n. */
  readonly exitCode: number;
}

const ENDS: readonly End[] = [
  {
    title: "kill -9",
    script: "exec sleep 1000",
    act: async ({ terminal }) => process.kill(terminal.pid, "SIGKILL"),
    exitCode: 128 + 9,
  },
  {
    title: "Ctrl-C, which the program catches once, and again",
    script: 'trap "trap - INT; echo once" INT; echo begun; while :; do sleep 1000; done',
    async act({ terminal, seen }) {
      await seen("begun");
      terminal.write(CONTROL_C);
      await seen("once");
      terminal.write(CONTROL_C);
    },
    exitCode: 130,
  },
  {
    title: "SIGHUP",
    script: "exec sleep 1000",
    act: async ({ terminal }) => process.kill(terminal.pid, "SIGHUP"),
    exitCode: 129,
  },
  {
    title: "the terminal's end",
    script: "exec sleep 1000",
    act: async ({ terminal }) => terminal.destroy(),
    exitCode: 129,
  },
  {
    title: "the program's own end while exec is stopped (SIGSTOP), which then goes on (SIGCONT)",
    script: 'trap "exit 7" USR1; echo begun; while :; do sleep 1000 & wait; done',
    async act({ terminal, seen, program }) {
      await seen("begun");
      process.kill(terminal.pid, "SIGSTOP");
      await expect.poll(() => stateOf(terminal.pid)).toBe("T");
      process.kill(program, "SIGUSR1");
      await expect.poll(() => stateOf(program)).toBe("Z");
      process.kill(terminal.pid, "SIGCONT");
    },
    exitCode: 7,
  },
];

const OPTIONS = [[], ["--no-mask"], ["--no-mount"], ["--no-mask", "--no-mount"]];

const [user] = MACHINE_USERS;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "ends-"));
  const store = await openEmbeddedStore({ directory: join(home, "store") });
  const value = SecretValue.fromText("a certificate");
  await store.create({ org: "flyte", project: "", domain: "", name: "cert.pem" }, { value, type: "generic" });
  await store.close();
});
afterAll(() => rmSync(home, { recursive: true }));

interface Running {
  /** Its process id is that of `exec`. */
  readonly terminal: Terminal;
  /** Fulfilled when the terminal has shown this text. */
  seen(text: string): Promise<unknown>;
  readonly program: number;
  readonly ended: Promise<number>;
}

async function start({ script }: End, options: readonly string[], owner: MachineUser): Promise<Running> {
  const program = ["sh", "-c", `echo "process $$."; ${script}`];
  const command = [process.execPath, CLI, "exec", "--file", "cert.pem", ...options, "--", ...program];
  const [file = "", ...args] = [...owner.launcher(home), ...command];
  const env = { PATH: process.env.PATH ?? "", HOME: home, SECRET_STORE_PATH: join(home, "store"), TERM: "xterm" };
  const terminal = startOnTerminal({ file, args, env, cwd: home });
  let screen = "";
  terminal.onData((data) => {
    screen += data;
  });
  const ended = new Promise<number>((resolve) =>
    terminal.onExit(({ exitCode, signal }) => resolve(signal ? 128 + signal : exitCode)),
  );
  const seen = (text: string | RegExp) => expect.poll(() => screen, { timeout: 60_000 }).toMatch(text);
  await seen(/process \d+\./);
  return { terminal, seen, program: Number(/process (\d+)\./.exec(screen)?.[1]), ended };
}

/** One end, and what is left of it then: processes, files, mounts. */
async function endOnce(end: End, options: readonly string[], owner: MachineUser): Promise<void> {
  const running = await start(end, options, owner);
  const { terminal, program, ended } = running;
  const processes = childrenOf(terminal.pid);
  const namespace = namespaceOf(program);
  const isMounted = namespace !== namespaceOf(terminal.pid);
  expect(isMounted).toBe(!options.includes("--no-mount"));
  const isThere = () => readdirSync("/dev/shm").some((name) => name.includes(`-${terminal.pid}-`));
  // The program, the guardian, and what holds the mount.
  expect([processes.length, processes.includes(program), isThere()]).toEqual([isMounted ? 3 : 2, true, true]);
  await end.act(running);
  expect(await ended).toBe(end.exitCode);
  // An orphan's zombie is for the first process of the machine to wait for.
  const isLeft = (pid: number) => existsSync(`/proc/${pid}`) && !(end.title === "kill -9" && stateOf(pid) === "Z");
  const isInNamespace = (pid: string) => isMounted && namespaceOf(Number(pid)) === namespace;
  const left = () => [
    ...processes.filter(isLeft),
    ...readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isInNamespace(name)),
    ...(isThere() ? ["files"] : []),
  ];
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
}

describeWith(mountNamespaces, `${TIMES * OPTIONS.length * ENDS.length} ends of exec`, () => {
  beforeAll(() => {
    const inStore = readdirSync(join(home, "store")).map((name) => join(home, "store", name));
    if (user) giveTo(user, [home, join(home, "store"), ...inStore]);
  });

  it.each(
    ENDS.flatMap((end) => OPTIONS.map((options) => ({ title: end.title, end, options }))),
  )("leave nothing behind, and the right exit code: $title, $options", async ({ end, options }) => {
    if (user === undefined) throw new Error("there is no user");
    await Promise.all(Array.from({ length: TIMES }, () => endOnce(end, options, user)));
  });
});

/** One letter, as ps(1) has it; "" for none. */
function stateOf(pid: number): string {
  return /\) (.)/.exec(readProcess(pid, "stat"))?.[1] ?? "";
}

/** The ids of the processes whose parent it is. */
function childrenOf(pid: number): readonly number[] {
  return readProcess(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return "";
  }
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
