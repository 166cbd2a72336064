import { type FetchedValue, isSecretsError, type SecretFetcher, type SecretId, SecretValue } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BackendFault, FetcherHarness, StartFetcher } from "./fetcher-harness.ts";

const CANARY = "canary-value-of-the-contract";
const project: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const domain: SecretId = { ...project, project: "" };
const global: SecretId = { ...domain, domain: "" };
const text = SecretValue.fromText;

/** What comes of a fetch of some ids: bytes in hex, `absent`, or the code of an error, whether of one id or of all. */
async function outcomes(fetcher: SecretFetcher, ids: readonly SecretId[], signal?: AbortSignal): Promise<string[]> {
  let fetched: ReadonlyMap<SecretId, FetchedValue>;
  try {
    fetched = await fetcher.fetch(ids, signal && { signal });
  } catch (error) {
    return ids.map(() => describeError(error));
  }
  return ids.map((id) => {
    const value = fetched.get(id);
    if (value === undefined) return "absent";
    return value instanceof SecretValue ? hex(value) : describeError(value);
  });
}

function describeError(error: unknown): string {
  if (!isSecretsError(error)) return `not an error of ours: ${String(error)}`;
  // Also what would be logged with it.
  const shown = [error.message, error.cause].map(String).join(" ");
  return shown.includes(CANARY) ? "an error with a value in it" : error.code;
}

const hex = (value: SecretValue) => Buffer.from(value.revealBytes()).toString("hex");

const FAULTS: Readonly<Record<Exclude<BackendFault, "silent">, string>> = {
  forbidden: "credentials_refused",
  throttled: "store_unavailable",
  broken: "store_unavailable",
  gone: "store_unavailable",
  foreign: "store_unavailable",
  lying: "store_unavailable",
};

/** Declares the contract of `SecretFetcher` as tests of one implementation. Each test starts a backend of its own. */
export function describeSecretFetcher(name: string, start: StartFetcher): void {
  async function started(): Promise<FetcherHarness> {
    const harness = await start();
    onTestFinished(() => harness.close());
    return harness;
  }

  describe(`${name} as a secret fetcher`, () => {
    test("all scopes of a key come in one call, those that are absent left out", async () => {
      const { fetcher, put } = await started();
      const broader = { ...global, name: "other" };
      await put(project, text("p"));
      await put(global, text("g"));
      await put(broader, text("o"));
      const ids = [project, domain, global, { ...project, name: "other" }, { ...domain, name: "other" }, broader];
      const [p, g, o] = ["p", "g", "o"].map((value) => hex(text(value)));
      expect(await outcomes(fetcher, ids)).toEqual([p, "absent", g, "absent", "absent", o]);
    });

    test("values come byte for byte: text, text with line ends, bytes that are no text", async () => {
      const { fetcher, put } = await started();
      const bytes = [
        [0x70, 0xc3, 0xa4],
        [0x0a, 0x78, 0x0d, 0x0a],
        [0xff, 0xfe, 0x00, 0x80],
      ];
      const values = bytes.map((one) => SecretValue.fromBytes(Uint8Array.from(one)));
      const ids = values.map((_, at) => ({ ...project, name: `value-${at}` }));
      for (const [at, id] of ids.entries()) await put(id, values[at] ?? text(""));
      expect(await outcomes(fetcher, ids)).toEqual(values.map(hex));
    });

    test("an empty value is a value", async ({ skip }) => {
      const { fetcher, put, refusesEmptyValues } = await started();
      if (refusesEmptyValues) return skip("this manager takes no empty values");
      await put(project, text(""));
      expect(await outcomes(fetcher, [project])).toEqual([""]);
    });

    test("keys with every allowed character and in every case are told apart", async () => {
      const { fetcher, put } = await started();
      const ids = ["Key", "key", "a_b", "a__b", "a-b", "9"].map((name) => ({ ...project, name }));
      for (const id of ids) await put(id, text(id.name));
      expect(await outcomes(fetcher, ids)).toEqual(ids.map(({ name }) => hex(text(name))));
    });

    test("more ids than a manager takes in one call are all read", async () => {
      const { fetcher, put } = await started();
      const ids = Array.from({ length: 45 }, (_, n) => ({ ...global, name: `key-${n}` }));
      const present = ids.filter((_, n) => n % 3 === 0);
      for (const id of present) await put(id, text(id.name));
      const expected = ids.map((id) => (present.includes(id) ? hex(text(id.name)) : "absent"));
      expect(await outcomes(fetcher, ids)).toEqual(expected);
    });

    test("a value that is replaced is read as it is now", async () => {
      const { fetcher, put } = await started();
      await put(project, text("old"));
      await outcomes(fetcher, [project]);
      await put(project, text("new"));
      expect(await outcomes(fetcher, [project])).toEqual([hex(text("new"))]);
    });

    test("an id that is longer than any manager takes is absent, or read", async () => {
      const { fetcher, put } = await started();
      await put(domain, text("d"));
      const long = { ...project, name: "x".repeat(3_000) };
      expect(await outcomes(fetcher, [long, domain])).toEqual(["absent", hex(text("d"))]);
      expect(fetcher.nameOf?.(long)).not.toBe("");
    });

    test("the short form counts where the encoded id isn't there", async ({ skip }) => {
      const { fetcher, put, putShort } = await started();
      if (!putShort) return skip("this manager has no short form");
      await putShort(domain, text("short"));
      await putShort(global, text("short"));
      await put(global, text("encoded"));
      expect(await outcomes(fetcher, [project, domain, global])).toEqual([
        "absent",
        hex(text("short")),
        hex(text("encoded")),
      ]);
    });

    test("a secret with no value in it is an error of its own", async ({ skip }) => {
      const { fetcher, put, putEmpty } = await started();
      if (!putEmpty) return skip("this manager has no such secrets");
      await put(project, text("p"));
      await putEmpty(domain);
      expect(await outcomes(fetcher, [project, domain, global])).toEqual([
        hex(text("p")),
        "value_unreadable",
        "absent",
      ]);
    });

    test.for(
      Object.entries(FAULTS),
    )("a manager that is %s is %s, whether or not it has the secret, and no value is told", async ([fault, code], {
      skip,
    }) => {
      const { fetcher, put, fail, faultless = [] } = await started();
      if (!fail) return skip("this manager is a real one, which can't be made to fail");
      // A name of the table.
      const own = fault as BackendFault;
      if (faultless.includes(own)) return skip("this manager can't have that fault, or nobody could tell");
      await put(project, text(CANARY));
      fail(own);
      expect(await outcomes(fetcher, [project, domain])).toEqual([code, code]);
    });

    test("a manager that never answers is waited for until the signal", async ({ skip }) => {
      const { fetcher, fail } = await started();
      if (!fail) return skip("this manager is a real one, which can't be made to fail");
      fail("silent");
      const [outcome] = await outcomes(fetcher, [project], AbortSignal.timeout(50));
      expect(["store_unavailable", "deadline_exceeded"]).toContain(outcome);
    });
  });
}
