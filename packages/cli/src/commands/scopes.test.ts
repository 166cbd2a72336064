import { expect, it } from "vitest";
import { success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

it("scopes lists what has secrets, and how many", async () => {
  await at.keep({ a: "x", b: "x", "dev/c": "x", "dev/shop/d": "x", "prod/shop/d": "x", "prod/shop/e": "x" });
  const { stdout } = await at.call("scopes", "-o", "table-simple");
  expect(stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\dZ/g, "TIME")).toBe(
    "project  domain    secrets  updated\n" +
      "-        (global)  2        TIME\n" +
      "-        dev       1        TIME\n" +
      "shop     dev       1        TIME\n" +
      "shop     prod      2        TIME\n",
  );
  expect(await at.call("scopes", "-o", "name")).toEqual(success("global\ndev\ndev/shop\nprod/shop\n"));
  const listed: { secrets: number }[] = JSON.parse((await at.call("scopes", "-o", "json")).stdout);
  expect(listed.map(({ secrets }) => secrets)).toEqual([2, 1, 1, 2]);
  expect((await at.call("scopes", "-o", "csv")).stdout).toMatch(
    /^project,domain,secrets,updated\r\n,,2,20.*Z\r\n,dev,1,/,
  );
});

it("scopes says when there are none", async () => {
  await at.keep({});
  expect(await at.call("scopes")).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "no secrets yet; flyte-secrets create secret NAME makes one\n",
  });
});
