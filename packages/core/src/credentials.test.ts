import { expect, test } from "vitest";
import { isStrongToken, withoutCredentials } from "./credentials.ts";

const ENVIRONMENT = {
  PATH: "/bin",
  FLYTE_SECRETS_MASTER_KEY: "1",
  FLYTE_SECRETS_NEXT_MASTER_KEY: "2",
  FLYTE_SECRETS_TOKEN: "3",
  FLYTE_API_KEY: "4",
  FLYTE_SECRET_DB: "5",
  FLYTE_SECRETS_DEFAULT_DIR: "/etc/secrets",
  OWN_DB: "6",
};

test.each([
  [undefined, { OWN_DB: "6" }],
  ["OWN_", { FLYTE_SECRET_DB: "5" }],
  ["", { FLYTE_SECRET_DB: "5", OWN_DB: "6" }],
])("keys, tokens and the secrets with prefix %s are left out", (prefix, rest) => {
  expect(withoutCredentials(ENVIRONMENT, prefix)).toEqual({
    PATH: "/bin",
    FLYTE_SECRETS_DEFAULT_DIR: "/etc/secrets",
    ...rest,
  });
});

test.each([
  ["22 characters that differ", "abcdefghijklmnopqrstuv", true],
  ["all characters that a token may have", "-._~+/09AZaz-._~+/09AZ==", true],
  ["21 characters", "abcdefghijklmnopqrstu", false],
  ["one letter, repeated", "a".repeat(64), false],
  ["seven different ones", "abcdefg".repeat(8), false],
  ["eight different ones", "abcdefgh".repeat(8), true],
  ["two lines", "abcdefghijklmnopqrstuv\nabcdefghijklmnopqrstuv", false],
  ["a blank", "abcdefghijk lmnopqrstuvw", false],
])("whether a token is good: %s", (_, token, isGood) => {
  expect(isStrongToken(token)).toBe(isGood);
});
