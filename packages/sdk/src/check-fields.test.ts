import { describe, expect, test } from "vitest";
import { MountType, Secret } from "./secret.ts";
import { task, workflow } from "./task.ts";

/** As JavaScript calls it, where no compiler has looked. */
const untyped = <T>(call: T): ((...given: unknown[]) => unknown) => call as never;
const body = async () => {};
const secret = (...given: unknown[]) => Reflect.construct(Secret, given);
const declare = (options: object) => untyped(task)({ name: "t", ...options }, body);

function refusal(call: () => unknown): unknown {
  try {
    call();
    return "nothing was refused";
  } catch (error) {
    return error instanceof Error ? `${"code" in error ? error.code : error.name}: ${error.message}` : error;
  }
}

describe("what a compiler would refuse is refused when it is made", () => {
  const FIELDS = "Its fields are key, group, groupVersion, mount, asEnvVar, mountRequirement, envVar, requireGroup.";
  test.each<[unknown[], string]>([
    [[{ key: "a", asEnv: "A" }], `Secret has no field "asEnv"; did you mean asEnvVar? ${FIELDS}`],
    [[{ key: "a", as_env_var: "A" }], `Secret has no field "as_env_var"; did you mean asEnvVar? ${FIELDS}`],
    [[{ key: "a", version: "1" }], `Secret has no field "version" ${FIELDS}`],
    [["a"], 'Secret takes an object, got a string: write new Secret({ key: "my-key" }).'],
    [[], 'Secret takes an object, got undefined: write new Secret({ key: "my-key" }).'],
    [[{ key: 7 }], "Secret's key must be text, got a number."],
    [[{ key: "a", asEnvVar: null }], "Secret's asEnvVar must be text, got null."],
    [
      [{ key: "a", mountRequirement: "ENV_VAR" }],
      `mountRequirement must be one of ${Object.keys(MountType)
        .map((name) => `MountType.${name}`)
        .join(", ")}.`,
    ],
  ])("new Secret(...%j)", (given, message) => {
    expect(refusal(() => secret(...given))).toBe(`invalid_argument: ${message}`);
  });

  test.each<[object, string]>([
    [{ secrets: { key: "a" } }, 'secrets takes keys and Secrets, got an object: write new Secret({ key: "a" }).'],
    [{ secrets: ["a", null] }, 'secrets takes keys and Secrets, got null: write new Secret({ key: "my-key" }).'],
    [{ secretRequests: ["a"] }, 'secretRequests takes Secrets, got a string: write new Secret({ key: "a" }).'],
    [{ secretRequests: "a" }, 'secretRequests takes Secrets, got a string: write new Secret({ key: "a" }).'],
    [
      { secret: "a" },
      'task has no field "secret"; did you mean secrets? Its fields are name, secrets, secretRequests.',
    ],
    [{ name: 7 }, "task's name must be text, got a number."],
    [{ name: "" }, 'task needs a name: write task({ name: "my-task" }, ...).'],
  ])("task(%j, ...)", (options, message) => {
    expect(refusal(() => declare(options))).toBe(`invalid_argument: ${message}`);
  });

  test("a task or workflow without a function, or without options", () => {
    expect(refusal(() => untyped(task)({ name: "t" }, "body"))).toBe(
      'invalid_argument: task "t" needs a function, got a string.',
    );
    expect(refusal(() => untyped(workflow)("w", body))).toBe(
      'invalid_argument: workflow takes an object, got a string: write workflow({ name: "my-workflow" }, async () => ...).',
    );
  });

  test("what another copy of this package has made is taken", () => {
    const foreign = { toRequest: () => new Secret({ key: "a" }).toRequest() };
    expect(declare({ secrets: foreign })).toHaveProperty("definition.requests", [new Secret({ key: "a" }).toRequest()]);
  });
});
