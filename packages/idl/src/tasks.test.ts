import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TaskTemplateSchema } from "../generated/published/flyteidl2/core/tasks_pb.ts";
import { TaskSpecSchema } from "../generated/published/flyteidl2/task/task_definition_pb.ts";
import { decodeTask } from "./tasks.ts";

const template = create(TaskTemplateSchema, {
  id: { resourceType: 1, project: "shop", domain: "dev", name: "hello.main", version: "1" },
  type: "python-task",
  securityContext: { secrets: [{ group: "db", key: "password", mountRequirement: 2, envVar: "DB" }] },
});

test.each([
  ["a TaskSpec", toBinary(TaskSpecSchema, create(TaskSpecSchema, { taskTemplate: template, shortName: "main" }))],
  ["a TaskTemplate", toBinary(TaskTemplateSchema, template)],
])("%s has the task's name and what it asks for", (_, bytes) => {
  const task = decodeTask(bytes);
  expect(task?.id?.name).toBe("hello.main");
  expect(task?.securityContext?.secrets).toMatchObject([
    { group: "db", key: "password", mountRequirement: 2, envVar: "DB" },
  ]);
});

test.each([
  ["nothing", new Uint8Array()],
  ["text", new TextEncoder().encode("kind: Pod\n")],
  ["a task without a name", toBinary(TaskTemplateSchema, create(TaskTemplateSchema, { type: "python-task" }))],
])("%s is no task", (_, bytes) => {
  expect(decodeTask(bytes)).toBeUndefined();
});
