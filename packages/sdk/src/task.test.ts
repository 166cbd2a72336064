import { afterEach, describe, expect, expectTypeOf, test } from "vitest";
import { MountType, Secret } from "./secret.ts";
import { type Task, task, workflow } from "./task.ts";
import { type AnyTask, TASK_RUNTIME, type TaskCall, type TaskRuntime } from "./task-runtime.ts";

const install = (runtime: TaskRuntime): void => {
  Object.assign(globalThis, { [TASK_RUNTIME]: runtime });
};
afterEach(() => install({}));

const asVariable = (key: string, envVar: string) => ({
  group: "",
  groupVersion: "",
  key,
  mountRequirement: MountType.ENV_VAR,
  envVar,
});
const exact = (group: string, key: string) => ({
  group,
  groupVersion: "",
  key,
  mountRequirement: MountType.ANY,
  envVar: "",
});

describe("a task", () => {
  test("is the function that it wraps, with a definition", async () => {
    const add = task({ name: "add", secrets: "api-key" }, (input: { a: number; b: number }) => input.a + input.b);
    expect(await add({ a: 1, b: 2 })).toBe(3);
    expect(add.name).toBe("add");
    expect(add.definition).toEqual({ name: "add", kind: "task", requests: [asVariable("api-key", "API_KEY")] });
    expectTypeOf(add).toEqualTypeOf<Task<[input: { a: number; b: number }], number>>();
    expectTypeOf(add).returns.resolves.toBeNumber();
  });

  test("takes a string, a Secret, a list of both, and flytekit's requests, each once and in order", () => {
    const made = task(
      {
        name: "t",
        secrets: ["a", new Secret({ key: "b", asEnvVar: "B2" }), "a"],
        secretRequests: [new Secret({ group: "g", key: "c" }), new Secret({ key: "a", asEnvVar: "A" })],
      },
      async () => {},
    );
    expect(made.definition.requests).toEqual([asVariable("a", "A"), asVariable("b", "B2"), exact("g", "c")]);
    expectTypeOf(made).toEqualTypeOf<Task<[], void>>();
  });

  test("rejects when its body throws", async () => {
    const failing = task({ name: "failing" }, () => {
      throw new Error("no luck");
    });
    await expect(failing()).rejects.toThrow("no luck");
  });

  test("refuses a wrong secret when it is defined", () => {
    expect(() => task({ name: "t", secrets: "1st" }, async () => {})).toThrow(
      "Invalid environment variable name: 1ST, must match ^[A-Z_][A-Z0-9_]*$. It is derived from group and key: name " +
        "another with asEnvVar, or ask for a file with mount",
    );
  });

  test.each([
    ["keys that differ by - and _", { secrets: ["api-key", "api_key"] }, '"api-key" and "api_key"', "API_KEY"],
    ["keys that differ by case", { secrets: ["token", "TOKEN"] }, '"token" and "TOKEN"', "TOKEN"],
    [
      "one variable of one's own",
      { secrets: [new Secret({ key: "a", asEnvVar: "T" }), new Secret({ key: "b", asEnvVar: "T" })] },
      '"a" and "b"',
      "T",
    ],
    [
      "requests whose keys differ by case",
      { secretRequests: ["k", "K"].map((key) => new Secret({ group: "g", key, mountRequirement: MountType.ENV_VAR })) },
      '"g/k" and "g/K"',
      "of K",
    ],
    [
      "a value and a path",
      {
        secrets: new Secret({ key: "a", asEnvVar: "T" }),
        secretRequests: [new Secret({ key: "a", envVar: "T", mountRequirement: MountType.FILE })],
      },
      '"a" and "a"',
      "T",
    ],
  ])("refuses two secrets in one variable when it is defined: %s", (_, declarations, names, variable) => {
    expect(() => task({ name: "t", ...declarations }, async () => {})).toThrow(
      `Secrets ${names} would both be the variable ${variable}, which holds only one: ` +
        "give one of them another asEnvVar (envVar), or mount it as a file.",
    );
  });

  test("takes one secret in several places, and what only the managers can tell apart", () => {
    const { FILE, ENV_VAR } = MountType;
    const secretRequests = [
      new Secret({ key: "token", mountRequirement: FILE }),
      new Secret({ key: "TOKEN", mountRequirement: FILE }),
      new Secret({ group: "g", key: "k", mountRequirement: ENV_VAR, envVar: "T" }),
      new Secret({ group: "h", key: "k", mountRequirement: ENV_VAR, envVar: "T" }),
      new Secret({ key: "a-b", mountRequirement: ENV_VAR }),
      new Secret({ key: "a_b", mountRequirement: ENV_VAR }),
    ];
    expect(task({ name: "t", secretRequests }, async () => {}).definition.requests).toHaveLength(6);
  });

  test("takes only the input that its body takes", () => {
    const greet = task({ name: "greet" }, async ({ name }: { name: string }) => name);
    // @ts-expect-error the body needs a name
    void (() => greet());
    // @ts-expect-error a task takes one object
    void (() => task({ name: "t" }, async (text: string) => text));
    // @ts-expect-error a secret has a key or a group
    void (() => new Secret({ asEnvVar: "A" }));
  });
});

describe("the decorator", () => {
  class Jobs {
    readonly offset: number = 10;
    static factor = 3;

    @task({ name: "jobs.triple", secrets: "factor-key" })
    static async triple(input: { n: number }): Promise<number> {
      return input.n * Jobs.factor;
    }

    @task({ secretRequests: [new Secret({ group: "g", key: "k" })] })
    async shift(input: { n: number }): Promise<number> {
      return input.n + this.offset;
    }

    @workflow({ secrets: "all" })
    static async both(input: { n: number }): Promise<number> {
      return new Jobs().shift({ n: await Jobs.triple(input) });
    }
  }

  test("makes tasks of static and instance methods, which keep `this`", async () => {
    expect(await Jobs.triple({ n: 2 })).toBe(6);
    expect(await new Jobs().shift({ n: 2 })).toBe(12);
    expect(await Jobs.both({ n: 2 })).toBe(16);
    expect(Jobs.triple).toHaveProperty("definition", {
      name: "jobs.triple",
      kind: "task",
      requests: [asVariable("factor-key", "FACTOR_KEY")],
    });
    expect(new Jobs().shift).toHaveProperty("definition", { name: "shift", kind: "task", requests: [exact("g", "k")] });
  });

  test("lets a runner execute a static method with its class as `this`", async () => {
    const made: unknown = Jobs.triple;
    expect(await (made as AnyTask).run({ n: 5 })).toBe(15);
    const { triple } = Jobs;
    expect(await triple({ n: 1 })).toBe(3);
  });
});

describe("in a runtime", () => {
  test("every task and workflow is announced as it is defined", () => {
    const defined: AnyTask[] = [];
    install({ onDefine: (made) => defined.push(made) });
    const a = task({ name: "a" }, async () => {});
    const wf = workflow({ name: "wf" }, async () => {});
    expect(defined).toEqual([a, wf]);
  });

  test("a task's call goes to the runner, a workflow's runs here, and run() bypasses the runner", async () => {
    const calls: TaskCall[] = [];
    install({
      invoke: async (call) => {
        calls.push(call);
        return "from the runner";
      },
    });
    const hello = task({ name: "hello", secrets: "k" }, async (input: { name: string }) => `hello ${input.name}`);
    const wf = workflow({ name: "wf", secrets: "w" }, async () => hello({ name: "you" }));

    expect(await wf()).toBe("from the runner");
    expect(await hello.run({ name: "me" })).toBe("hello me");
    expect(calls).toEqual([
      { definition: hello.definition, inherited: [asVariable("w", "W")], input: { name: "you" } },
    ]);
  });
});

describe("inheritance", () => {
  const callsOf = async (run: () => Promise<unknown>): Promise<[string, readonly unknown[]][]> => {
    const calls: [string, readonly unknown[]][] = [];
    install({ invoke: async ({ definition, inherited }) => void calls.push([definition.name, inherited]) });
    await run();
    return calls;
  };
  const leaf = task({ name: "leaf" }, async () => {});
  const request = (group: string, key: string) => new Secret({ group, key });

  test("goes through sub-workflows, outermost first, each request once", async () => {
    const inner = workflow({ name: "inner", secretRequests: [request("g", "i"), request("g", "o")] }, async () =>
      leaf(),
    );
    const outer = workflow({ name: "outer", secretRequests: [request("g", "o")] }, async () => {
      await inner();
      await leaf();
    });
    expect(await callsOf(outer)).toEqual([
      ["leaf", [exact("g", "i"), exact("g", "o")]],
      ["leaf", [exact("g", "o")]],
    ]);
  });

  test("a sub-workflow's request wins over an inherited one for the same group and key", async () => {
    const versioned = new Secret({ group: "g", key: "k", groupVersion: "2" });
    const inner = workflow({ name: "inner", secretRequests: [versioned] }, async () => leaf());
    const outer = workflow({ name: "outer", secretRequests: [request("g", "k"), request("g", "o")] }, async () =>
      inner(),
    );
    expect(await callsOf(outer)).toEqual([["leaf", [exact("g", "o"), { ...exact("g", "k"), groupVersion: "2" }]]]);
  });

  test("a task's own request wins over an inherited one that would be the same variable", async () => {
    const inner = workflow({ name: "inner", secrets: new Secret({ key: "mine", asEnvVar: "T" }) }, async () => leaf());
    const outer = workflow(
      { name: "outer", secrets: [new Secret({ key: "theirs", asEnvVar: "T" }), "other"] },
      async () => inner(),
    );
    expect(await callsOf(outer)).toEqual([["leaf", [asVariable("other", "OTHER"), asVariable("mine", "T")]]]);
  });

  test("concurrent workflows do not mix, and nothing is left behind", async () => {
    const gate = Promise.withResolvers<void>();
    const waiting = (key: string) =>
      workflow({ name: key, secretRequests: [request("g", key)] }, async () => {
        await gate.promise;
        await leaf();
      });
    const calls = await callsOf(async () => {
      const both = Promise.all([waiting("a")(), waiting("b")()]);
      gate.resolve();
      await both;
      await leaf();
    });
    expect(calls).toEqual([
      ["leaf", [exact("g", "a")]],
      ["leaf", [exact("g", "b")]],
      ["leaf", []],
    ]);
  });
});
