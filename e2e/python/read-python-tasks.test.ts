// What our reader finds in files of Flyte's own SDKs, from the oldest releases to the newest.
import { join } from "node:path";
import { combineRequests, readPythonTasks, requestsOfPythonTask, tasksOfRun } from "@flyte-secrets/cli/testing";
import { decodeRequestAnnotation, type SecretRequest } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PythonPeer, startPythonPeer } from "../support/python-peer.ts";
import { describeWith } from "../support/requirement.ts";
import { FLYTE_ENDS, FLYTEKIT_ENDS, type PythonSdk } from "../tasks/python-sdks.ts";

const TASKS = join(import.meta.dirname, "../tasks");

/** The tasks that a file in `directory` defines. */
async function read({ python }: PythonSdk, directory: string, name: string) {
  const file = join(directory, name);
  const { PATH, HOME } = process.env;
  const signal = new AbortController().signal;
  return {
    file,
    tasks: await readPythonTasks(file, {
      python,
      env: { PATH, HOME, PYTHONDONTWRITEBYTECODE: "1" },
      cwd: directory,
      signal,
    }),
  };
}

const readHere = (sdk: PythonSdk, name: string) => read(sdk, import.meta.dirname, name);
const keys = (requests: readonly SecretRequest[]) => requests.map(({ key }) => key);

/** A task's secrets in the template that its SDK would send. */
interface Template {
  readonly annotations: readonly string[];
}

for (const [module, sdks] of [
  ["flyte_tasks", FLYTE_ENDS],
  ["flytekit_tasks", FLYTEKIT_ENDS],
] as const) {
  for (const sdk of sdks) {
    describeWith(sdk.require(), `${sdk.title}: the requests of ${module}.py`, () => {
      let peer: PythonPeer;
      beforeAll(() => {
        peer = startPythonPeer(sdk.python, sdk.requestsScript);
      });
      afterAll(() => peer.close());

      it("are those of the templates that the SDK would send", async () => {
        const { tasks } = await read(sdk, TASKS, `${module}.py`);
        for (const { name, kind, calls, requests } of tasks) {
          // What the script answers to this question.
          const template = (await peer.ask({ ask: "template", task: `${module}.${name}` })) as Template;
          expect({ name, kind, requests }).toEqual({
            name,
            kind: "task",
            requests: template.annotations.map(decodeRequestAnnotation),
          });
          expect(calls.length).toBeLessThan(tasks.length);
        }
        expect(tasks.length).toBeGreaterThan(5);
      });
    });
  }
}

for (const sdk of FLYTE_ENDS) {
  describeWith(sdk.require(), `${sdk.title}: a file with several environments`, () => {
    it("gives each task and app its own secrets, and a run those of the environments that are deployed with it", async () => {
      const from = await readHere(sdk, "flyte_calls.py");
      const found = from.tasks.map((task) => {
        const ran = combineRequests(tasksOfRun(from, task));
        return [task.name, task.fullName, task.kind, keys(task.requests), keys(ran)];
      });
      expect(found).toEqual([
        ["page", "page", "app", ["page-key"], ["page-key"]],
        ["deepest", "leaf.deepest", "task", ["leaf-key"], ["leaf-key"]],
        ["main", "middle.main", "task", ["middle-key"], ["middle-key", "leaf-key"]],
        ["beside", "middle.beside", "task", ["middle-key"], ["middle-key", "leaf-key"]],
        ["alone", "apart.alone", "task", ["apart-key"], ["apart-key"]],
        ["overridden", "apart.alone", "task", ["other-key"], ["other-key", "apart-key"]],
      ]);
      expect(keys(requestsOfPythonTask(from, "middle.main"))).toEqual(["middle-key"]);
    });

    it("is refused as a whole when two of its tasks want one variable differently", async () => {
      const from = await readHere(sdk, "flyte_calls.py");
      expect(() => requestsOfPythonTask(from, undefined)).toThrow(
        expect.objectContaining({
          code: "pod_conflict",
          message:
            '"middle-key" of main and "apart-key" of alone are both the variable MIDDLE_KEY, which holds only one: ' +
            "name one of the tasks, or give one of the secrets another variable",
        }),
      );
    });
  });
}

for (const sdk of FLYTEKIT_ENDS) {
  describeWith(sdk.require(), `${sdk.title}: a file with workflows`, () => {
    it("gives a workflow what the tasks ask for that it calls in any form", async () => {
      const from = await readHere(sdk, "flytekit_calls.py");
      const asked = (name: string) => [...keys(requestsOfPythonTask(from, name))].sort();
      expect(asked("inner")).toEqual(["otherwise", "then"]);
      expect(asked("plan")).toEqual(["otherwise", "then"]);
      expect(asked("outer")).toEqual([
        "cleans",
        "container",
        "dynamic",
        "hinted",
        "mapped",
        "named",
        "otherwise",
        "then",
      ]);
    });

    it("gives a task, a map task and a dynamic one what its own pod asks for", async () => {
      const from = await readHere(sdk, "flytekit_calls.py");
      const request = { group: "team", groupVersion: "", mountRequirement: 0, envVar: "" };
      const mapped = { group: "team", groupVersion: "2", key: "mapped", mountRequirement: 2, envVar: "MAPPED" };
      expect(requestsOfPythonTask(from, "plain")).toEqual([{ ...request, key: "plain", mountRequirement: 1 }]);
      expect(requestsOfPythonTask(from, "many")).toEqual([mapped]);
      expect(requestsOfPythonTask(from, "mapped")).toEqual([mapped]);
      expect(requestsOfPythonTask(from, "grows")).toEqual([{ ...request, key: "dynamic" }]);
      expect(requestsOfPythonTask(from, "container")).toEqual([{ ...request, key: "container" }]);
      expect(requestsOfPythonTask(from, "without")).toEqual([]);
    });

    it("is refused as a whole when two of its tasks want one variable differently", async () => {
      const from = await readHere(sdk, "flytekit_calls.py");
      expect(() => requestsOfPythonTask(from, undefined)).toThrow(/"team\/mapped" of mapped .+ variable MAPPED/);
    });

    it("names the nearest task instead of one that is not there", async () => {
      const from = await readHere(sdk, "flytekit_calls.py");
      expect(() => requestsOfPythonTask(from, "plian")).toThrow(
        /^flytekit_calls\.py has no task or workflow "plian"; it has plain, /,
      );
    });
  });
}
