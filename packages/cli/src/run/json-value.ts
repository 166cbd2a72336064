import { types } from "node:util";
import { SecretsError } from "@flyte-secrets/core";

/** Of what JSON makes `{}`, whatever is in it: the check, and what to give instead. */
const EMPTIED: readonly (readonly [(value: unknown) => boolean, Fault])[] = [
  [types.isMap, { what: "a Map", instead: "give Object.fromEntries(map)" }],
  [types.isSet, { what: "a Set", instead: "give [...set]" }],
  [types.isPromise, { what: "a Promise", instead: "await it" }],
  [types.isNativeError, { what: "an Error", instead: "give its message" }],
  [types.isRegExp, { what: "a RegExp", instead: "give its source" }],
  [types.isAnyArrayBuffer, { what: "an ArrayBuffer", instead: "give text, such as base64" }],
  [types.isGeneratorObject, { what: "a generator", instead: "give [...generator]" }],
  [(value) => types.isWeakMap(value) || types.isWeakSet(value), { what: "a weak collection" }],
];

interface Fault {
  readonly what: string;
  readonly instead?: string;
}

/**
 * What another process gets of a value: the same in JSON. `task_failed` when JSON has nothing for a part of it, or
 * leaves out what is in it; the message says which part, `what` stands for the whole. Members that are `undefined` are
 * left out and NaN is null, as in all JSON. Throws what the value's own code throws.
 */
export function toJsonValue(value: unknown, what: string): unknown {
  /** The objects around the part that is looked at, with the path of each. */
  const around: { readonly object: unknown; readonly path: string }[] = [];
  function check(this: unknown, key: string, part: unknown): unknown {
    while (around.length > 0 && around.at(-1)?.object !== this) around.pop();
    const parent = around.at(-1);
    const path = parent === undefined ? what : `${parent.path}${step(key, this)}`;
    const fault = faultOf(part);
    if (fault !== undefined) throw notJson(path, fault);
    if (typeof part !== "object" || part === null) return part;
    const same = around.find(({ object }) => object === part);
    if (same !== undefined) throw notJson(path, { what: `${shorten(same.path)} again` });
    around.push({ object: part, path });
    return part;
  }
  try {
    const json = JSON.stringify(value, check);
    return json === undefined ? undefined : JSON.parse(json);
  } catch (error) {
    if (error instanceof RangeError) throw notJson(what, { what: "nested too deeply, or too large" });
    throw error;
  }
}

function faultOf(part: unknown): Fault | undefined {
  switch (typeof part) {
    case "bigint":
      return { what: "a BigInt", instead: "give String(n)" };
    case "function":
      return { what: "a function" };
    case "symbol":
      return { what: "a symbol" };
    case "object":
      return EMPTIED.find(([is]) => is(part))?.[1];
    default:
      return undefined;
  }
}

function step(key: string, parent: unknown): string {
  if (Array.isArray(parent)) return `[${key}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) && key.length <= 60
    ? `.${key}`
    : `[${JSON.stringify(key.slice(0, 60))}]`;
}

function notJson(path: string, { what, instead }: Fault): SecretsError {
  const remedy = instead === undefined ? "" : `; ${instead}`;
  return new SecretsError("task_failed", `${shorten(path)} is ${what}, and inputs and results travel as JSON${remedy}`);
}

/** Keeps both ends of a long path. */
const shorten = (path: string): string => (path.length <= 200 ? path : `${path.slice(0, 80)}…${path.slice(-100)}`);
