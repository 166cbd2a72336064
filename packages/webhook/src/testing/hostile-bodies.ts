import fc from "fast-check";
import { ask, podReview, taskPod } from "./pod-review.ts";

/** A review with a bit of everything that the webhook reads. */
const REAL = podReview({
  ...taskPod([ask("a"), ask("b", { mountRequirement: 2 }), ask("c", { envVar: "C" })], {
    annotations: { "flyte.secrets/containers": "main" },
  }),
  spec: {
    initContainers: [{ name: "setup", image: "i", command: ["sh"], env: [{ name: "A", value: "1" }] }],
    containers: [{ name: "main", image: "i", env: [{ name: "A" }], volumeMounts: [{ name: "v", mountPath: "/v" }] }],
    volumes: [
      { name: "v", emptyDir: { medium: "Memory" } },
      { name: "s", secret: { secretName: "s", items: [{ key: "k", path: "p" }] } },
    ],
  },
});

const strange = fc.oneof(
  fc.constantFrom(null, true, 0, -1, 1e308, "", "\0", "\ud800", "__proto__", [], {}, [null], "x".repeat(70_000)),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Replaces, removes or adds something at a random place of a JSON value. */
function vandalise(value: unknown, { picks, what }: { picks: number[]; what: unknown }): unknown {
  const [pick = 0, ...rest] = picks;
  if (rest.length === 0 || typeof value !== "object" || value === null) return what;
  if (Array.isArray(value)) {
    if (value.length === 0 || pick % 7 === 0) return [...value, what];
    return value.with(pick % value.length, vandalise(value[pick % value.length], { picks: rest, what }));
  }
  const names = Object.keys(value);
  const name = names[pick % (names.length + 1)];
  if (name === undefined)
    return JSON.parse(
      `${JSON.stringify(value).slice(0, -1)}${names.length ? "," : ""}"__proto__":${JSON.stringify(what)}}`,
    );
  const fields = Object.entries(value);
  if (pick % 11 === 0) return Object.fromEntries(fields.filter(([field]) => field !== name));
  const part = fields.find(([field]) => field === name)?.[1];
  return Object.fromEntries([...fields, [name, vandalise(part, { picks: rest, what })]]);
}

const vandalised = fc
  .array(fc.record({ picks: fc.array(fc.nat(), { minLength: 1, maxLength: 9 }), what: strange }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((strokes) => JSON.stringify(strokes.reduce(vandalise, REAL as unknown)));

const text = JSON.stringify(REAL);
const broken = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string()).map(([at, count, put]) => {
  return text.slice(0, at) + put + text.slice(at + count);
});
const bytes = fc
  .array(fc.tuple(fc.nat(text.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
  .map((changes) => {
    const body = Buffer.from(text);
    for (const [at, byte] of changes) body[at] = byte;
    return body;
  });
const nested = fc
  .tuple(fc.constantFrom('{"a":', "["), fc.integer({ min: 1, max: 20_000 }), fc.boolean())
  .map(([open, depth, whole]) => {
    const end = whole ? `1${(open === "[" ? "]" : "}").repeat(depth)}` : "";
    return text.replace('"spec":{', () => `"spec":{"deep":${open.repeat(depth)}${end},`);
  });

/** Bodies made from a real one by whoever means harm. */
export const hostileBody: fc.Arbitrary<string | Buffer> = fc.oneof(
  { weight: 12, arbitrary: vandalised },
  { weight: 3, arbitrary: broken },
  { weight: 3, arbitrary: bytes },
  { weight: 1, arbitrary: nested },
);

/** What is wrong with an answer to whatever body; undefined for a well-formed answer. */
export function answerFault(answer: { readonly status: number; readonly text: string }): string | undefined {
  if (answer.status >= 400 && answer.status < 500) return answer.text === "" ? "a 4xx without a reason" : undefined;
  if (answer.status !== 200) return `status ${answer.status}`;
  const { kind, response } = JSON.parse(answer.text);
  if (kind !== "AdmissionReview" || typeof response.uid !== "string") return "no review";
  if (response.allowed === false) {
    const { code, message } = response.status;
    return [400, 503].includes(code) && message !== "" ? undefined : `rejected with ${code}: ${message}`;
  }
  if (response.patch === undefined)
    return response.status.message === "No changes" ? undefined : "no change, no message";
  const patch: unknown = JSON.parse(Buffer.from(response.patch, "base64").toString());
  return Array.isArray(patch) && patch.length > 0 ? undefined : "an empty patch";
}
