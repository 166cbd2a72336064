import { readFileSync } from "node:fs";
import { currentContext, Secret, task, workflow } from "@flyte-secrets/sdk";

interface Row {
  readonly id: number;
}

function first(rows: readonly Row[]): number {
  return (rows[0] as Row).id;
}

export const f = task({ name: "f" }, async () => first([]));
export const ff = workflow({ name: "ff" }, async () => await f());
export const outer = workflow({ name: "outer" }, async () => await ff());
export const wrapping = workflow({ name: "wrapping" }, async () => {
  try {
    await f();
  } catch (cause) {
    throw new Error("step 1 of 2 failed", { cause });
  }
});
export const own = workflow({ name: "own" }, async () => {
  throw new RangeError("the workflow's own\nsecond line");
});
export const inWorkflow = workflow({ name: "inWorkflow" }, async () => await own());
export const text = task({ name: "text" }, async () => {
  throw "out of luck";
});
export const object = task({ name: "object" }, async () => {
  throw { status: 503, reason: "busy" };
});
export const stray = task({ name: "stray" }, async () => {
  setTimeout(() => first([]), 1);
  await new Promise((done) => setTimeout(done, 600_000));
});
export const leaving = task({ name: "leaving" }, async () => process.exit(3));
export const hardCoded = task({ name: "hardCoded", secrets: [] }, async () =>
  readFileSync("/etc/flyte/secrets/db-config", "utf8"),
);
export const notGiven = task({ name: "notGiven" }, async () => currentContext().getSecret(undefined, "api-key"));
export const bigResult = task({ name: "bigResult" }, async () => ({ rows: [{ id: 1n }] }));
export const mapResult = task({ name: "mapResult" }, async () => ({ counts: new Map([["a", 1]]) }));
export const functionResult = task({ name: "functionResult" }, async () => ({ "on done": () => 1 }));
export const circularResult = task({ name: "circularResult" }, async () => {
  const node: { name: string; next?: unknown } = { name: "a" };
  node.next = { back: node };
  return { node };
});
export const bigInput = workflow({ name: "bigInput" }, async () => await take({ at: [1n] }));
const take = task({ name: "take" }, async (input: { at: unknown[] }) => input.at.length);
export const missing = task(
  { name: "missing", secrets: new Secret({ key: "openai-key", asEnvVar: "OPENAI" }) },
  async () => 1,
);
export const calls = workflow({ name: "calls" }, async () => await missing());
export const several = task({ name: "several", secrets: ["no-key", "api-key"] }, async () => 1);

export const wantsInput = task({ name: "wantsInput" }, (input: { epochs: number }) => input.epochs);
