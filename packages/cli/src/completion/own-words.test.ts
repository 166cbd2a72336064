import { expect, it } from "vitest";
import { success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const complete = (...words: string[]) => at.call("__complete", "--", ...words);

it("offers the names, projects and domains of this user's own secrets", async () => {
  await at.keep({ "api-key": "x", "dev/api-token": "x", "prod/shop/api-key": "x", "prod/shop/db": "x" });
  expect(await complete("get", "secret", "api")).toEqual(success("api-key\napi-token\n"));
  expect(await complete("delete", "secret", "-p", "")).toEqual(success("shop\n"));
  expect(await complete("update", "secret", "x", "--domain", "p")).toEqual(success("prod\n"));
  expect(await complete("create", "secret", "api")).toEqual(success(""));
  expect(await complete("get", "secret", "db", "")).toEqual(success(""));
});

it("offers nothing where there is no store, and asks nobody else's service", async () => {
  expect(await complete("get", "secret", "")).toEqual(success(""));
  at.env.FLYTE_ENDPOINT = "http://127.0.0.1:9";
  expect(await complete("get", "secret", "")).toEqual(success(""));
});
