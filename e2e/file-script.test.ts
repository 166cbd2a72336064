// The files of an Inline pod, written as its kubelet would have them written: the init container's own command and
// variables, taken from the mutated pod, under a real busybox alone.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_POD_LIMITS,
  INJECT_LABEL,
  lookupIds,
  MountRequirement,
  type ScopeLookup,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import {
  createEmbeddedInjector,
  createInlineDelivery,
  createMutator,
  type Pod,
  SECRETS_DIRECTORY,
} from "@flyte-secrets/inject";
import { afterAll, beforeAll, expect, test } from "vitest";
import { busyboxRequirement, makeBusyboxPath } from "./support/busybox.ts";
import { describeWith } from "./support/requirement.ts";
import { runProgram } from "./support/run-program.ts";

type Files = ReadonlyMap<string, Uint8Array>;

/** The pod after injection of these files, each a secret of that key. */
async function inject(files: Files): Promise<Pod> {
  const lookup: ScopeLookup = {
    async find(scope, key) {
      const [narrowest] = lookupIds(scope, key);
      const bytes = files.get(key);
      if (!narrowest || !bytes) return { found: false, attempts: [] };
      return { found: true, ...narrowest, value: SecretValue.fromBytes(bytes), attempts: [] };
    },
  };
  const mutator = createMutator({
    // Such a value is more than a patch may have by default.
    limits: { ...DEFAULT_POD_LIMITS, patchBytes: 4 << 20 },
    managers: [createEmbeddedInjector({ lookup })],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
    delivery: createInlineDelivery(),
  });
  const requests = [...files.keys()].map((key) => ({
    ...{ key, group: "", groupVersion: "", envVar: "" },
    mountRequirement: MountRequirement.FILE,
  }));
  const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "p", domain: "d" };
  const metadata = { namespace: "p-d", labels, annotations: toRequestAnnotations(requests) };
  const mutation = await mutator.mutate({ metadata, spec: { containers: [{ name: "main" }] } });
  if (!mutation.changed) throw new Error("nothing was injected");
  // As it comes back from the API server.
  return JSON.parse(JSON.stringify(mutation.pod));
}

function digests(files: Files): Record<string, string> {
  const digest = (bytes: Uint8Array) => `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
  return Object.fromEntries([...files].map(([key, bytes]) => [key, digest(bytes)]).sort());
}

describeWith(busyboxRequirement, "the init container of an Inline pod", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "flyte-secrets-files-"));
    makeBusyboxPath(join(home, "bin"));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** Runs it, with the volume at a directory of its own. */
  async function run(pod: Pod): Promise<Files> {
    const directory = mkdtempSync(join(home, "volume-"));
    const [init] = pod.spec.initContainers ?? [];
    const [, ...args] = (init?.command ?? []).map((word) => word.replaceAll(SECRETS_DIRECTORY, directory));
    const variables = Object.fromEntries((init?.env ?? []).map(({ name, value = "" }) => [name, value]));
    const env = { ...variables, PATH: join(home, "bin") };
    const result = await runProgram(join(home, "bin/sh"), args, { env });
    expect(result).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
  }

  test("writes text, empty values, empty lines, no newline at the end, every byte and random ones as they are", async () => {
    const files: Files = new Map([
      ["text", Buffer.from("hunter2\n")],
      ["no-newline", Buffer.from("hunter2")],
      ["empty", Buffer.from("")],
      ["empty-lines", Buffer.from("\n\na\n\n")],
      ["shell", Buffer.from("$(touch x) `y` $HOME $$ '\"\\ *")],
      ["every-byte", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
      ["random", randomBytes(50_000)],
    ]);
    expect(digests(await run(await inject(files)))).toEqual(digests(files));
  });

  test("writes 1 MiB, which no one variable can carry", async () => {
    const files: Files = new Map([
      ["before", Buffer.from("a")],
      ["big", randomBytes(1 << 20)],
      ["after", Buffer.from("b")],
    ]);
    expect(digests(await run(await inject(files)))).toEqual(digests(files));
  });

  test("writes 40 files whose names have every character that a key may have", async () => {
    const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const rotated = (by: number) => alphabet.slice(by) + alphabet.slice(0, by);
    const files: Files = new Map(Array.from({ length: 40 }, (_, at) => [rotated(at), randomBytes(at * 10)]));
    expect(digests(await run(await inject(files)))).toEqual(digests(files));
  });

  test.each(["../x", "a/b", "..", ".", "/etc/passwd"])("is never made for the key %s", async (key) => {
    await expect(inject(new Map([[key, Buffer.from("x")]]))).rejects.toMatchObject({ code: "not_injected" });
  });
});
