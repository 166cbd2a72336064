import { MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { expect, it } from "vitest";
import { combineRequests, requestsOfPythonTask } from "./python-requests.ts";
import type { PythonTask } from "./read-python-tasks.ts";

const request = (key: string, rest: Partial<SecretRequest> = {}): SecretRequest => ({
  group: "",
  groupVersion: "",
  key,
  mountRequirement: MountRequirement.ENV_VAR,
  envVar: "",
  ...rest,
});

const task = (name: string, requests: readonly SecretRequest[], rest: Partial<PythonTask> = {}): PythonTask => ({
  name,
  fullName: `hello.${name}`,
  kind: "task",
  sdk: "flyte",
  requests,
  calls: [],
  ...rest,
});

it("keeps what several tasks ask for once, in order, whatever they call each other", () => {
  const tasks = [
    task("a", [request("k"), request("l")], { calls: [1], kind: "workflow" }),
    task("b", [request("l"), request("m")], { calls: [0] }),
    task("c", [request("n")]),
  ];
  const from = { file: "/hello.py", tasks };
  expect(requestsOfPythonTask(from, "a").map(({ key }) => key)).toEqual(["k", "l", "m"]);
  expect(requestsOfPythonTask(from, "hello.b").map(({ key }) => key)).toEqual(["l", "m"]);
  expect(requestsOfPythonTask(from, undefined).map(({ key }) => key)).toEqual(["k", "l", "m", "n"]);
});

it("refuses one variable for two values of different tasks, and leaves those of one task to the mutator", () => {
  const one = request("k", { envVar: "V" });
  const other = request("l", { envVar: "V" });
  expect(() => combineRequests([task("a", [one]), task("b", [other])])).toThrow(
    expect.objectContaining({ code: "pod_conflict" }),
  );
  expect(combineRequests([task("a", [one, other])])).toEqual([one, other]);
  expect(() =>
    combineRequests([task("a", [one]), task("b", [{ ...one, mountRequirement: MountRequirement.FILE }])]),
  ).toThrow('"k" of a and "k" of b are both the variable V');
});

it("combines a thousand requests and no more", () => {
  const asking = (count: number) => Array.from({ length: count }, (_, at) => task(`t${at}`, [request(`k${at}`)]));
  expect(combineRequests([...asking(1_000), ...asking(1_000)])).toHaveLength(1_000);
  expect(() => combineRequests(asking(1_001))).toThrow("the tasks ask for more than 1000 secrets together");
});

it("says so when a file has no task at all", () => {
  const from = { file: "/home/me/hello.py", tasks: [] };
  const nothing = "hello.py defines no task of flyte or flytekit, in a variable of its own";
  expect(() => requestsOfPythonTask(from, undefined)).toThrow(nothing);
  expect(() => requestsOfPythonTask(from, "main")).toThrow(nothing);
});
