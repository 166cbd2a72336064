import { Secret_MountType, SecretRequestMessageSchema } from "@flyte-secrets/idl";
import { expect, test } from "vitest";
import { MountRequirement, type SecretRequest } from "./secret-request.ts";
import { encodeRequestText } from "./text-format.ts";

const full: SecretRequest = {
  group: "g",
  groupVersion: "v",
  key: "k",
  mountRequirement: MountRequirement.FILE,
  envVar: "E",
};

test("a request has the fields of Flyte's message and is written in their order", () => {
  const { fields } = SecretRequestMessageSchema;
  expect(Object.keys(full)).toEqual(fields.map(({ localName }) => localName));
  const written = encodeRequestText(full).trim().split("\n");
  expect(written.map((line) => line.split(":")[0])).toEqual(fields.map(({ name }) => name));
});

test("mount requirements are Flyte's, by name and number", () => {
  const named = Object.entries(Secret_MountType).filter(([, number]) => typeof number === "number");
  expect(MountRequirement).toEqual(Object.fromEntries(named));
});
