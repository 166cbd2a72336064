import { SecretValue } from "@flyte-secrets/core";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { NO_METRICS } from "../../cache/lookup-metrics.ts";
import { createGroupLookup } from "./group-lookup.ts";

function setUp(secrets: Readonly<Record<string, string>>) {
  const calls: (readonly string[])[] = [];
  const lookup = createGroupLookup({
    provider: {
      name: "AWS",
      async read(names) {
        calls.push(names);
        return new Map(
          names.flatMap((name) => (secrets[name] === undefined ? [] : [[name, SecretValue.fromText(secrets[name])]])),
        );
      },
    },
    expiry: { ttlMs: 1_000, negativeTtlMs: 1_000, staleMs: 0 },
    maxBytes: 1_000_000,
    timeoutMs: 1_000,
    clock: () => 0,
    log: pino({ enabled: false }),
    metrics: NO_METRICS,
  });
  onTestFinished(() => lookup.close());
  const find = async (group: string, key: string) => {
    const result = await lookup.findInGroup(group, key);
    return result.found ? [result.label, result.value.revealText()] : result.reason;
  };
  return { calls, lookup, find };
}

test.each([
  ['{"password":"p"}', "p"],
  ['{"password":""}', ""],
  ['{"password":5432,"user":"u"}', "5432"],
  ['{"password":{"a":[1]}}', '{"a":[1]}'],
  ['{"password":1234567890123456789}', "1234567890123456789"],
  ['{"password":1.10,"other":1}', "1.10"],
  ['{"a":{"password":1}, "password" : -1e3 }', "-1e3"],
  ['{"password":{"a": 1.0, "b":"}"},"c":2}', '{"a": 1.0, "b":"}"}'],
  ['{"x":"\\"password\\":1","password":true}', "true"],
  ['\n{"pass\\u0077ord":"\\u00e9\\n"}', "é\n"],
  ['{"password":[ 1, 2 ]}', "[ 1, 2 ]"],
  ["plain", "plain"],
  ['["password"]', '["password"]'],
  ["null", "null"],
  ["", ""],
])("of %s the key is %j", async (content, value) => {
  const { find } = setUp({ "my-db": content });
  expect(await find("my-db", "password")).toEqual(["AWS:my-db/password", value]);
});

test.each([
  ['{"password":null}', "the member is null"],
  ['{"password":1,"password":2}', "the member occurs twice, which JSON parsers treat differently"],
  ['{"password":"a","pass\\u0077ord":"a"}', "the member occurs twice, which JSON parsers treat differently"],
  ['{"password":"\\ud800"}', "the member is not well-formed Unicode"],
])("of %s the key has no value", async (content, problem) => {
  const { find } = setUp({ "my-db": content });
  await expect(find("my-db", "password")).rejects.toMatchObject({
    code: "value_unreadable",
    message: `secret my-db/password failed to be read from secret manager AWS: ${problem}`,
  });
  expect(await find("my-db", "other")).toBe('the AWS secret "my-db" has no member "other"');
});

test.each(["password", "toString", "__proto__"])("an object without the member %s has no value for it", async (key) => {
  const { find } = setUp({ "my-db": '{"user":"u"}' });
  expect(await find("my-db", key)).toBe(`the AWS secret "my-db" has no member "${key}"`);
});

test("a group that no secret is called, or can be, is not found", async () => {
  const { find, calls } = setUp({});
  expect(await find("my-db", "password")).toBe('there is no AWS secret "my-db"');
  expect(await find("my db; rm", "password")).toBe('no AWS secret can be called "my db; rm"');
  expect(calls).toEqual([["my-db"]]);
});

test("all keys of a group come from one call, and the same value each time", async () => {
  const { lookup, calls } = setUp({ "my-db": '{"password":"p","user":"u"}' });
  const [first, , second] = [
    await lookup.findInGroup("my-db", "password"),
    await lookup.findInGroup("my-db", "user"),
    await lookup.findInGroup("my-db", "password"),
  ];
  expect(first.found && second.found && first.value === second.value).toBe(true);
  expect(calls).toEqual([["my-db"]]);
});
