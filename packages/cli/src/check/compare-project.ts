import { excerpt, MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { type DeclaredSecret, nameOf } from "../project-file/project-file.ts";
import type { DeclaredTask } from "./read-tasks.ts";
import { taskTitle } from "./subject.ts";
import { type Verdict, verdict } from "./verdict.ts";

/** The tasks of a file, as it was named. */
export interface TaskFile {
  readonly file: string;
  readonly tasks: readonly DeclaredTask[];
}

/** A project file, as it was named, and what it declares. */
export interface Declaration {
  readonly file: string;
  readonly secrets: readonly DeclaredSecret[];
}

/** What tasks ask for and the project file doesn't declare, and what it declares and no task asks for. */
export function compareWithProject({ file, secrets }: Declaration, files: readonly TaskFile[]): readonly Verdict[] {
  const asked = files.flatMap((one) =>
    one.tasks.flatMap((task) => task.requests.map((request) => ({ file: one.file, task, request }))),
  );
  const undeclared = asked
    .filter(({ request }) => !secrets.some((one) => covers(one.request, request)))
    .map((one) =>
      verdict("undeclared", {
        file: one.file,
        subject: taskTitle(one.task),
        secret: excerpt(nameOf(one.request)),
        message: `it is asked for${describe(one.request)}, and ${file} does not declare that`,
      }),
    );
  const unused = secrets
    .filter((one) => !asked.some(({ request }) => covers(one.request, request)))
    .map((one) =>
      verdict("unused", {
        file,
        subject: "project",
        secret: excerpt(nameOf(one.request)),
        message: `no task asks for it${describe(one.request)}`,
      }),
    );
  return [...undeclared, ...unused];
}

const { ANY, ENV_VAR, FILE } = MountRequirement;

/** Whether a declaration is of the same secret in the same place, as far as both say one. */
function covers(declared: SecretRequest, asked: SecretRequest): boolean {
  const isSame = declared.group === asked.group && declared.key === asked.key;
  const places = [declared.mountRequirement, asked.mountRequirement];
  const isPlaced = places.includes(ANY) || places[0] === places[1];
  const names = [declared.envVar, asked.envVar];
  return isSame && isPlaced && (names.includes("") || names[0] === names[1]);
}

function describe({ mountRequirement, envVar }: SecretRequest): string {
  const as = { [ENV_VAR]: " as a variable", [FILE]: " as a file" }[mountRequirement] ?? "";
  return envVar === "" ? as : `${as} (${excerpt(envVar)})`;
}
