// Requests by Flyte's own code and Google's text format on one side, by ours on the other.
import {
  decodeRequestAnnotation,
  fromRequestAnnotations,
  MountRequirement,
  type SecretRequest,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { isSecretsError, Secret, type SecretOptions, task, toPod } from "@flyte-secrets/sdk";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PythonPeer, startPythonPeer } from "../support/python-peer.ts";
import { describeWith } from "../support/requirement.ts";
import { FLYTEKITS, FLYTES } from "./python-sdks.ts";

/** Text that a careless writer or reader trips over. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(..."\"'\\\n\r\t\0#;,:{}<>=\u007f\u0080é😀ax07u-_. "), maxLength: 20 }),
  fc.constantFrom('key: "x"', "\\x41\\101\\u0041", "# no comment", "ENV_VAR", "my-key", "\uFEFF", "a".repeat(253)),
);
const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,20}$/);
const requests = fc.array(
  fc.record({
    group: hostile,
    groupVersion: hostile,
    key: hostile,
    mountRequirement: fc.constantFrom(...Object.values(MountRequirement)),
    envVar: fc.oneof(fc.constant(""), variable),
  }),
  { minLength: 1, maxLength: 10 },
);
const RUNS = { numRuns: 60 };

/** Both directions for requests as they are. */
async function expectReadByBoth(peer: PythonPeer, asked: readonly SecretRequest[]): Promise<void> {
  const ours = toRequestAnnotations(asked);
  expect(await peer.ask({ ask: "read", annotations: Object.values(ours) })).toEqual(asked);
  expect(fromRequestAnnotations(ours)).toEqual(asked);
}

for (const sdk of FLYTEKITS) {
  describeWith(sdk.require(), `${sdk.title}, its requests: annotations of ours`, () => {
    let peer: PythonPeer;
    beforeAll(() => {
      peer = startPythonPeer(sdk.python, sdk.requestsScript);
    });
    afterAll(() => peer.close());

    it("come out of its task templates as they were written, in every spelling of Google's writer", async () => {
      await fc.assert(
        fc.asyncProperty(requests, async (asked) => {
          // What Flyte's reply to TypeScript can only be: one list of annotations for each request.
          const spellings = (await peer.ask({ ask: "write", requests: asked })) as string[][];
          for (const [index, annotations] of spellings.entries()) {
            for (const annotation of annotations) expect(decodeRequestAnnotation(annotation)).toEqual(asked[index]);
          }
          expect(spellings).toHaveLength(asked.length);
        }),
        RUNS,
      );
    });

    it("are read there as we write them", async () => {
      await fc.assert(
        fc.asyncProperty(requests, (asked) => expectReadByBoth(peer, asked)),
        RUNS,
      );
    });
  });
}

/** A secret of Flyte 2 as its SDK writes it. */
interface Written {
  readonly fields: SecretRequest;
  /** In every spelling of Google's writer. */
  readonly annotations: readonly string[];
  readonly hash: string;
}

const missing = fc.constant(undefined);
const secrets = fc.array(
  fc.record({
    key: hostile,
    group: fc.oneof(missing, hostile),
    mount: fc.oneof(missing, missing, fc.constant("/etc/flyte/secrets"), fc.constant("/elsewhere")),
    asEnvVar: fc.oneof(missing, variable, hostile),
  }),
  { minLength: 1, maxLength: 10 },
);

/** Our SDK's secret and the annotation that it comes to; undefined when a rule is broken. */
function ours(options: SecretOptions): { annotation: string | undefined; hash: string } | undefined {
  try {
    const secret = new Secret(options);
    const pod = toPod(
      task({ name: "asking", secrets: secret }, async () => {}),
      { image: "i", project: "p", domain: "development" },
    );
    return { annotation: pod.metadata.annotations["flyte.secrets/s0"], hash: secret.stableHash() };
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return undefined;
    throw error;
  }
}

/**
 * Where our SDK refuses what Flyte's takes: no key at all, and a variable that is empty or has a line feed at its end.
 */
const isStricter = ({ key, group, asEnvVar }: SecretOptions) =>
  key === "" || asEnvVar === "" || (asEnvVar ?? `${group}${key}`).endsWith("\n");

for (const sdk of FLYTES) {
  describeWith(sdk.require(), `${sdk.title}, its secrets: annotations of ours`, () => {
    let peer: PythonPeer;
    beforeAll(() => {
      peer = startPythonPeer(sdk.python, sdk.requestsScript);
    });
    afterAll(() => peer.close());

    it("come out of its task templates as the same requests and hashes as out of our SDK, by the same rules", async () => {
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(secrets, async (asked) => {
          // What Flyte's reply to TypeScript can only be: one of these for each secret.
          const theirs = (await peer.ask({
            ask: "write",
            secrets: asked.map(({ key, group = null, mount = null, asEnvVar = null }) => ({
              key,
              group,
              mount,
              asEnvVar,
            })),
          })) as (Written | null)[];
          for (const [index, written] of theirs.entries()) {
            const options = asked[index] ?? { key: "" };
            if (isStricter(options)) continue;
            const made = ours(options);
            expect(made === undefined).toBe(written === null);
            if (made === undefined || written === null) continue;
            compared += 1;
            expect(made.hash).toBe(written.hash);
            expect(decodeRequestAnnotation(made.annotation ?? "")).toEqual(written.fields);
            for (const annotation of written.annotations) {
              expect(decodeRequestAnnotation(annotation)).toEqual(written.fields);
            }
          }
        }),
        RUNS,
      );
      expect(compared).toBeGreaterThan(RUNS.numRuns);
    });

    it("are read there as we write them", async () => {
      await fc.assert(
        fc.asyncProperty(requests, (asked) => expectReadByBoth(peer, asked)),
        RUNS,
      );
    });
  });
}
