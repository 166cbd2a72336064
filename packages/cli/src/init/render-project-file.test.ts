import { MountRequirement } from "@flyte-secrets/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseProjectFile } from "../project-file/project-file.ts";
import { renderProjectFile } from "./render-project-file.ts";

const requests = fc
  .uniqueArray(
    fc.record({
      group: fc.constantFrom("", "db", "projects/p/secrets/s"),
      groupVersion: fc.constantFrom("", "3", "latest"),
      key: fc.constantFrom("a", "b-c", "D.pem"),
      mountRequirement: fc.constantFrom(...Object.values(MountRequirement)),
    }),
    { maxLength: 8, selector: (one) => JSON.stringify(one) },
  )
  .map((all) => all.map((one, at) => ({ ...one, envVar: at % 2 === 0 ? `VARIABLE_${at}` : "" })));

test("what is written is read as what was asked for; a variable without a name may be any", () => {
  fc.assert(
    fc.property(requests, (asked) => {
      const text = renderProjectFile([{ name: "t", fullName: "t", kind: "task", requests: asked }], {
        project: "shop",
      });
      const file = parseProjectFile(text, "flyte-secrets.yaml");
      const { ENV_VAR, ANY } = MountRequirement;
      const expected = asked.map((one) =>
        one.mountRequirement === ENV_VAR && one.envVar === "" ? { ...one, mountRequirement: ANY } : one,
      );
      expect(file.secrets.map(({ request }) => request)).toEqual(
        expect.arrayContaining(
          expected.filter(
            (one, at) => expected.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === at,
          ),
        ),
      );
    }),
  );
});

test("a schema that the project has is named for editors", () => {
  const schema = "./node_modules/@flyte-secrets/cli/schema/flyte-secrets.json";
  expect(renderProjectFile([], { schema })).toBe(
    `# yaml-language-server: $schema=${schema}\n` +
      "# Which secrets this project needs. Their values are kept elsewhere: flyte-secrets create secret KEY\nsecrets: []\n",
  );
});
