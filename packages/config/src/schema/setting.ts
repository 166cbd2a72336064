import { parseGoDuration } from "@flyte-secrets/core";
import { loadYaml } from "../load-yaml.ts";
import { parseQuantity } from "./quantity.ts";
import { boolean, listOf, mapOf, number, oneOf, type Read, RefusedValue, string } from "./read.ts";

/**
 * Whether a setting has an effect. Those without are validated all the same, so that a configuration of Flyte's loads.
 */
export type Effect = "now" | "never";

/** The documentation of a setting or section. */
export interface SettingMeta {
  readonly about: string;
  /** The rule for the value, as the end of a sentence that begins with "must be". Absent for sections. */
  readonly type?: string;
  /** That of the enclosing section when absent. */
  readonly effect?: Effect;
  /** The default as it is written in YAML. Absent for sections. */
  readonly shown?: string;
  /** Whether the section is shared with Flyte: unknown keys are ignored. */
  readonly open?: boolean;
}

/** A setting: how the value that a source gives is read, and what it is when none does. */
export interface SettingSchema<T> {
  readonly kind: "setting";
  readonly read: Read<T>;
  readonly default: T;
  readonly meta: SettingMeta;
}

/** A group of settings below one key. */
export interface SectionSchema<S extends Shape> {
  readonly kind: "section";
  readonly shape: S;
  readonly meta: SettingMeta;
}

export type Shape = Readonly<Record<string, SettingSchema<unknown> | SectionSchema<Shape>>>;

/** What the settings of a section are when all are read. */
export type ValuesOf<S extends Shape> = {
  -readonly [K in keyof S]: S[K] extends SettingSchema<infer T>
    ? T
    : S[K] extends SectionSchema<infer Below>
      ? ValuesOf<Below>
      : never;
};

interface SettingOptions<T> {
  readonly about: string;
  readonly default: T;
  readonly effect?: Effect;
}

/** Declares a section: a group of settings below one key. */
export function section<S extends Shape>(
  about: string,
  shape: S,
  options?: Pick<SettingMeta, "effect" | "open">,
): SectionSchema<S> {
  return { kind: "section", shape, meta: { about, ...options } };
}

/**
 * Text. Numbers and booleans that YAML reads as such are taken as they print.
 * `must` describes what `accepts` asks for, `remedy` is added to the error of a text that it refuses.
 */
export function text(
  options: SettingOptions<string> & {
    readonly accepts?: (value: string) => boolean;
    readonly must?: string;
    readonly remedy?: string;
  },
) {
  const { must = "text", remedy, accepts = () => true } = options;
  const read = string(remedy === undefined ? must : `${must}; ${remedy}`, accepts);
  return setting((value) => read(scalarText(value)), must, options);
}

/** A whole number between two bounds, both included. */
export function integer(options: SettingOptions<number> & { readonly min: number; readonly max?: number }) {
  const { min, max = Number.MAX_SAFE_INTEGER } = options;
  const must = options.max === undefined ? `an integer of ${min} or more` : `an integer from ${min} to ${options.max}`;
  const read = number(must, (value) => Number.isSafeInteger(value) && value >= min && value <= max);
  return setting((value) => read(scalarNumber(value)), must, options);
}

/** A share from 0 to 1. */
export function ratio(options: SettingOptions<number>) {
  const must = "a number from 0 to 1";
  const read = number(must, (value) => value >= 0 && value <= 1);
  return setting((value) => read(scalarNumber(value)), must, options);
}

/** true or false. */
export function toggle(options: SettingOptions<boolean>) {
  const must = "true or false";
  const words = new Map([
    ["true", true],
    ["false", false],
  ]);
  const read = boolean(must);
  return setting((value) => read(typeof value === "string" ? words.get(value.toLowerCase()) : value), must, options);
}

/**
 * One of several names, matched without regard to case.
 * `alias` maps other spellings to a name; `refused` maps what Flyte takes and we don't to what to write instead.
 */
export function choice<const T extends string>(
  values: readonly T[],
  options: SettingOptions<NoInfer<T>> & {
    readonly alias?: Readonly<Record<string, NoInfer<T>>>;
    readonly refused?: Readonly<Record<string, string>>;
  },
) {
  const must = `one of ${values.join(", ")}`;
  const refused = new Map(Object.entries(options.refused ?? {}));
  const read = oneOf(values, must, options.alias);
  const readOrExplain = (value: unknown) => {
    const instead = refused.get(String(value).toLowerCase());
    if (instead !== undefined) throw new RefusedValue(instead);
    return read(value);
  };
  return setting(readOrExplain, must, options);
}

/** A list of names out of several, matched without regard to case. In the environment: separated by commas. */
export function choices<const T extends string>(values: readonly T[], options: SettingOptions<NoInfer<T>[]>) {
  const must = `a list of ${values.join(", ")}`;
  const read = listOf(oneOf(values, must), must);
  return setting((value) => read(scalarList(value)), must, options);
}

/** A list of texts. In the environment: separated by commas. `must` describes what `accepts` asks of each. */
export function texts(
  options: SettingOptions<string[]> & { readonly accepts?: (value: string) => boolean; readonly must?: string },
) {
  const { must = "a list of texts", accepts } = options;
  const item = string(must, accepts);
  const read = listOf((value) => item(scalarText(value)), must);
  return setting((value) => read(scalarList(value)), must, options);
}

/** A map of texts, or a list of one-key maps. In the environment: as YAML or JSON. */
export function textMap(options: SettingOptions<Record<string, string>>) {
  const must = "a map of texts";
  const item = string(must);
  const read = mapOf((value) => item(scalarText(value)), must);
  return setting((value) => read(joinMaps(structured(value))), must, options);
}

/** A structure of its own. In the environment: as YAML or JSON. */
export function structure<T>(read: Read<T>, must: string, options: SettingOptions<NoInfer<T>>) {
  return setting((value) => read(structured(value)), must, options);
}

/** A duration of zero or more in Go's notation; its value is in milliseconds. */
export function duration(options: SettingOptions<string>) {
  return measure(parseGoDuration, "a duration such as 30s or 1m30s", options);
}

/** A Kubernetes quantity of zero or more, kept as it is written; empty means not set. */
export function quantity(options: SettingOptions<string>) {
  const accepts = (value: string) => value === "" || (parseQuantity(value) ?? -1) >= 0;
  return text({ ...options, accepts, must: "a quantity such as 500Mi or 200m" });
}

/** A number of bytes as a Kubernetes quantity; its value is the number. */
export function byteSize(options: SettingOptions<string>) {
  return measure(parseQuantity, "a size such as 100M or 64Mi", options);
}

/** A number of zero or more that is written with a unit. */
function measure(parse: (text: string) => number | undefined, must: string, options: SettingOptions<string>) {
  const read = number(must, (value) => value >= 0);
  const settingOptions = { ...options, default: parse(options.default) ?? 0 };
  return setting((value) => read(parse(String(value))), must, settingOptions, options.default);
}

function setting<T>(
  read: Read<T>,
  type: string,
  options: SettingOptions<NoInfer<T>>,
  shown?: string,
): SettingSchema<T> {
  const { about, effect } = options;
  const meta = { about, type, ...(effect && { effect }), shown: shown ?? JSON.stringify(options.default) };
  return { kind: "setting", read, default: options.default, meta };
}

function scalarText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

function scalarNumber(value: unknown): unknown {
  return typeof value === "string" && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(value.trim()) ? Number(value) : value;
}

function scalarList(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value.trim().startsWith("[")) return structured(value);
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function joinMaps(value: unknown): unknown {
  const isListOfMaps = Array.isArray(value) && value.every((part) => typeof part === "object" && part !== null);
  return isListOfMaps ? Object.assign({}, ...value) : value;
}

function structured(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return loadYaml().parse(value);
  } catch {
    return value;
  }
}
