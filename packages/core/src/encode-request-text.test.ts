import { expect, test } from "vitest";
import vectors from "../../testkit/testdata/vectors/annotations.json" with { type: "json" };
import { encodeRequestText } from "./encode-request-text.ts";
import { SecretsError } from "./errors.ts";
import { MountRequirement, type SecretRequest } from "./secret-request.ts";

const nothing: SecretRequest = {
  group: "",
  groupVersion: "",
  key: "",
  mountRequirement: MountRequirement.ANY,
  envVar: "",
};
const numbers = new Map<string | undefined, number>(Object.entries(MountRequirement));

test.each(vectors.written)("$text is written as Flyte writes it", ({ request, text }) => {
  expect(
    encodeRequestText({
      group: request.group ?? "",
      groupVersion: request.group_version ?? "",
      key: request.key ?? "",
      mountRequirement: numbers.get(request.mount_requirement) ?? MountRequirement.ANY,
      envVar: request.env_var ?? "",
    }),
  ).toBe(text);
});

test("a request that sets nothing is the empty text", () => {
  expect(encodeRequestText(nothing)).toBe("");
});

test("control characters and all beyond ASCII are three octal digits a byte", () => {
  expect(encodeRequestText({ ...nothing, key: "\0\x1f ~\x7f'€" })).toBe('key: "\\000\\037 ~\\177\'\\342\\202\\254"\n');
});

test.each([7, -1, 0.5, Number.NaN])("mount requirement %d has no name and is refused", (mountRequirement) => {
  expect(() => encodeRequestText({ ...nothing, mountRequirement })).toThrow(
    new SecretsError("invalid_argument", `invalid mount requirement [${mountRequirement}]`),
  );
});

test("half a surrogate pair can't be written", () => {
  expect(() => encodeRequestText({ ...nothing, envVar: "A\ud83d" })).toThrow(
    new SecretsError("invalid_argument", "env_var: must be Unicode text without lone surrogates"),
  );
});
