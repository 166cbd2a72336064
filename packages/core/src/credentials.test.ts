import { expect, test } from "vitest";
import { withoutCredentials } from "./credentials.ts";

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
