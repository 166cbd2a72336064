import { currentContext, Secret, task, workflow } from "@flyte-secrets/sdk";

const requests = (...keys) => keys.map((key) => new Secret({ key, asEnvVar: key.toUpperCase() }));

export const plain = task({ name: "plain" }, async (input) => ({ pid: process.pid, input, argv: process.argv.slice(2) }));

export const environment = task({ name: "environment" }, async () => ({ ...process.env }));

export const printing = task({ name: "printing" }, async ({ text, times = 1 }) => {
  for (let count = 0; count < times; count++) {
    process.stdout.write(text);
    process.stderr.write(text);
  }
});

export const failing = task({ name: "failing" }, async () => {
  throw new Error("outer", { cause: new TypeError("inner") });
});

export const unreadable = task({ name: "unreadable" }, async () => currentContext().getSecret("group", "key"));

export const exiting = task({ name: "exiting" }, async ({ code }) => process.exit(code));

export const killed = task({ name: "killed" }, async () => {
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
});

/** Says that it runs, then only ends when it is ended. */
export const endless = task({ name: "endless" }, async () => {
  console.log(`running ${process.pid}`);
  setInterval(() => {}, 1_000);
  await new Promise(() => {});
});

/** Ends although it leaves a timer behind and others' messages on the channel. */
export const untidy = task({ name: "untidy" }, async () => {
  setInterval(() => {}, 1_000);
  process.send("ready");
  process.send({ kind: "something else" });
  return { done: true };
});

export const strange = task({ name: "strange" }, async () => ({ big: 1n }));

const first = task({ name: "first", secrets: requests("a", "b") }, async (input) => ({ input, ...given() }));
const second = task({ name: "second", secrets: requests("c") }, async () => given());
const given = () => Object.fromEntries(["A", "B", "C"].map((name) => [name, process.env[name]]));

export const flow = workflow({ name: "flow", secretRequests: [new Secret({ key: "c", envVar: "C" })] }, async (input) => {
  const results = await Promise.all([first(input), second()]);
  const caught = await failing().catch((error) => error.message);
  return { driver: given(), results, caught };
});
