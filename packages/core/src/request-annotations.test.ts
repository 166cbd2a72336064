import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../testkit/testdata/vectors/annotations.json" with { type: "json" };
import { encodeBase32Lower } from "./base32.ts";
import { SecretsError } from "./errors.ts";
import { DEFAULT_POD_LIMITS } from "./pod-limits.ts";
import {
  decodeRequestAnnotation,
  encodeRequestAnnotation,
  fromRequestAnnotations,
  toRequestAnnotations,
} from "./request-annotations.ts";
import { MountRequirement, type SecretRequest } from "./secret-request.ts";

interface WireRequest {
  readonly group?: string;
  readonly group_version?: string;
  readonly key?: string;
  readonly mount_requirement?: string;
  readonly env_var?: string;
}

const numbers = new Map<string, number>(Object.entries(MountRequirement));
const fromWire = (wire: WireRequest): SecretRequest => ({
  group: wire.group ?? "",
  groupVersion: wire.group_version ?? "",
  key: wire.key ?? "",
  mountRequirement: numbers.get(wire.mount_requirement ?? "ANY") ?? Number.NaN,
  envVar: wire.env_var ?? "",
});
const ofKey = (key: string): SecretRequest => fromWire({ key });
const annotationOf = (key: string): string => encodeRequestAnnotation(ofKey(key));

describe("one annotation", () => {
  test.each(vectors.written)("$annotation is written and read", ({ request, annotation }) => {
    expect(encodeRequestAnnotation(fromWire(request))).toBe(annotation);
    expect(decodeRequestAnnotation(annotation)).toEqual(fromWire(request));
  });

  test.each(vectors.alsoReadable)("$annotation is read", ({ request, annotation }) => {
    expect(decodeRequestAnnotation(annotation)).toEqual(fromWire(request));
  });

  test("may have line breaks around and inside, as Go's decoder allows", () => {
    expect(decodeRequestAnnotation("nnsxsora\r\nejwxsx2lmv3secq\n")).toEqual(ofKey("my_key"));
  });

  test("carries any request there is", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const request = fc.record({
      group: text,
      groupVersion: text,
      key: text,
      mountRequirement: fc.constantFrom(0, 1, 2),
      envVar: text,
    });
    fc.assert(
      fc.property(request, (request) => {
        const annotation = encodeRequestAnnotation(request);
        expect(annotation).toMatch(/^[a-z1-6]*$/);
        expect(decodeRequestAnnotation(annotation)).toEqual(request);
      }),
    );
  });

  test("carries at most 262,144 bytes", () => {
    // 8 characters for 5 bytes; `key: "` and `"` with the line end are 8 of the 163,840 bytes that fit.
    expect(annotationOf("k".repeat(163_832))).toHaveLength(262_144);
    expect(() => annotationOf("k".repeat(163_833))).toThrow(
      new SecretsError("invalid_argument", "secret descriptor cannot exceed [262144]"),
    );
  });
});

describe("a pod's annotations", () => {
  test("of every pod in the vectors carry its requests", () => {
    const lines = readFileSync(join(import.meta.dirname, "../../testkit/testdata/vectors/pods.jsonl"), "utf8").trim();
    for (const line of lines.split("\n")) {
      const { pod, requests } = JSON.parse(line);
      expect(fromRequestAnnotations(pod.metadata.annotations)).toEqual(requests.map(fromWire));
    }
  });

  test("are numbered in the order of the requests", () => {
    expect(toRequestAnnotations([ofKey("a"), ofKey("b")])).toEqual({
      "flyte.secrets/s0": annotationOf("a"),
      "flyte.secrets/s1": annotationOf("b"),
    });
    expect(toRequestAnnotations([])).toEqual({});
  });

  test("are read in numeric order, those without a number after them by name, and others left alone", () => {
    const names = ["s10", "sx", "s2", "s01", "s", "s1", "s99999999999999999999", "s99999999999999999998", "s-1", "s1a"];
    const annotations = {
      "flyte.secrets/t0": "not base32",
      "example.com/flyte.secrets/s0": "not base32",
      ...Object.fromEntries(names.map((name) => [`flyte.secrets/${name}`, annotationOf(name)])),
    };
    expect(fromRequestAnnotations(annotations).map(({ key }) => key)).toEqual([
      "s01",
      "s1",
      "s2",
      "s10",
      "s99999999999999999998",
      "s99999999999999999999",
      "s",
      "s-1",
      "s1a",
      "sx",
    ]);
  });

  test("come back in their order from whatever order the map has", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 25 }), fc.infiniteStream(fc.nat()), (keys, ranks) => {
        const requests = keys.map(ofKey);
        const shuffled = Object.entries(toRequestAnnotations(requests))
          .map((entry) => ({ entry, rank: ranks.next().value }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ entry }) => entry);
        expect(fromRequestAnnotations(Object.fromEntries(shuffled))).toEqual(requests);
      }),
    );
  });

  test("with numbers of any length are compared without computing them", () => {
    const nines = "9".repeat(2_000_000);
    const annotations = {
      [`flyte.secrets/s1${nines}`]: annotationOf("longer"),
      [`flyte.secrets/s${nines}`]: annotationOf("large"),
      [`flyte.secrets/s00${nines.slice(1)}8`]: annotationOf("less"),
      "flyte.secrets/s00": annotationOf("none"),
    };
    expect(fromRequestAnnotations(annotations).map(({ key }) => key)).toEqual(["none", "less", "large", "longer"]);
  });

  const shorter = {
    ...DEFAULT_POD_LIMITS,
    requests: 2,
    annotationLength: 150,
    keyLength: 5,
    groupLength: 6,
    groupVersionLength: 7,
    envVarLength: 8,
  };

  test.each<[string, Record<string, string>, string]>([
    [
      "more requests",
      { "flyte.secrets/s0": "?", "flyte.secrets/s1": "?", "flyte.secrets/sx": "?" },
      "requests of the pod: 3 is over the limit of 2 (webhook.limits.requests)",
    ],
    [
      "an annotation that is longer",
      { [`flyte.secrets/s${"1".repeat(200)}`]: "?".repeat(151) },
      `characters of annotation flyte.secrets/s${"1".repeat(105)}…: 151 is over the limit of 150 (webhook.limits.annotationLength)`,
    ],
    [
      "a longer key",
      { "flyte.secrets/s0": annotationOf("123456") },
      "characters of key in annotation flyte.secrets/s0: 6 is over the limit of 5 (webhook.limits.keyLength)",
    ],
    [
      "a longer group",
      { "flyte.secrets/s0": encodeBase32Lower('group: "1234567"') },
      "characters of group in annotation flyte.secrets/s0: 7 is over the limit of 6 (webhook.limits.groupLength)",
    ],
    [
      "a longer group version",
      { "flyte.secrets/s0": encodeBase32Lower('group_version: "12345678"') },
      "characters of group_version in annotation flyte.secrets/s0: 8 is over the limit of 7 (webhook.limits.groupVersionLength)",
    ],
    [
      "a longer variable",
      { "flyte.secrets/s0": encodeBase32Lower('env_var: "123456789"') },
      "characters of env_var in annotation flyte.secrets/s0: 9 is over the limit of 8 (webhook.limits.envVarLength)",
    ],
  ])("are refused with %s than the limits allow", (_, annotations, message) => {
    expect(() => fromRequestAnnotations(annotations, shorter)).toThrow(new SecretsError("limit_exceeded", message));
  });

  test("that are just as many and as long as the limits allow are read", () => {
    const full = { group: "123456", groupVersion: "1234567", key: "12345", mountRequirement: 0, envVar: "12345678" };
    expect(fromRequestAnnotations(toRequestAnnotations([full, full]), shorter)).toEqual([full, full]);
  });

  test("with an unknown mount requirement are read, and refused when written", () => {
    const annotations = { "flyte.secrets/s0": encodeBase32Lower("mount_requirement: 7") };
    const requests = fromRequestAnnotations(annotations);
    expect(requests).toEqual([{ ...ofKey(""), mountRequirement: 7 }]);
    expect(() => toRequestAnnotations(requests)).toThrow(
      new SecretsError("invalid_argument", "invalid mount requirement [7]"),
    );
  });

  test.each(vectors.unreadable)("with $why are refused", ({ annotation }) => {
    const annotations = { "flyte.secrets/s0": annotationOf("fine"), "flyte.secrets/s1": annotation };
    expect(() => fromRequestAnnotations(annotations)).toThrow(
      expect.objectContaining({
        code: "invalid_annotation",
        message: expect.stringMatching(
          /^failed to unmarshal secrets from pod annotations: error unmarshaling secret \[flyte\.secrets\/s1\]\. Error: ./,
        ),
      }),
    );
  });

  test("are refused with the name of the first that is wrong", () => {
    const annotations = { "flyte.secrets/s10": "0", "flyte.secrets/s9": encodeBase32Lower('nope: "a"') };
    expect(() => fromRequestAnnotations(annotations)).toThrow(
      new SecretsError(
        "invalid_annotation",
        "failed to unmarshal secrets from pod annotations: " +
          "error unmarshaling secret [flyte.secrets/s9]. Error: (line 1:1): unknown field: nope",
      ),
    );
  });

  test("hold at most 262,144 bytes together, names included", () => {
    // Two names of 16 and two values of 131,056 characters, which are 81,910 bytes of text each.
    const half = ofKey("k".repeat(81_902));
    expect(Object.keys(toRequestAnnotations([half, half]))).toHaveLength(2);
    expect(() => toRequestAnnotations([half, ofKey(`${half.key}k`)])).toThrow(
      new SecretsError(
        "invalid_argument",
        "secret descriptors cannot exceed [262144] bytes in all, got [262146]: ask for fewer secrets",
      ),
    );
  });
});
