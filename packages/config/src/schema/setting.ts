import { parseGoDuration } from "@flyte-secrets/core";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { parseQuantity } from "./quantity.ts";

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

interface SettingOptions<T> {
  readonly about: string;
  readonly default: T;
  readonly effect?: Effect;
}

/** Declares a section: a group of settings below one key. */
export function section<S extends z.ZodRawShape>(
  about: string,
  shape: S,
  options?: Pick<SettingMeta, "effect" | "open">,
): z.ZodObject<S> {
  return z.object(shape).meta({ about, ...options });
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
  const must = options.must ?? "text";
  const error = fail(options.remedy === undefined ? must : `${must}; ${options.remedy}`);
  return setting(
    z.preprocess(scalarText, z.string(error).refine(options.accepts ?? (() => true), error)),
    must,
    options,
  );
}

/** A whole number between two bounds, both included. */
export function integer(options: SettingOptions<number> & { readonly min: number; readonly max?: number }) {
  const must =
    options.max === undefined
      ? `an integer of ${options.min} or more`
      : `an integer from ${options.min} to ${options.max}`;
  const schema = z
    .int(fail(must))
    .min(options.min, fail(must))
    .max(options.max ?? Number.MAX_SAFE_INTEGER, fail(must));
  return setting(z.preprocess(scalarNumber, schema), must, options);
}

/** A share from 0 to 1. */
export function ratio(options: SettingOptions<number>) {
  const must = "a number from 0 to 1";
  return setting(z.preprocess(scalarNumber, z.number(fail(must)).min(0, fail(must)).max(1, fail(must))), must, options);
}

/** true or false. */
export function toggle(options: SettingOptions<boolean>) {
  const must = "true or false";
  const read = (value: unknown) =>
    typeof value === "string" ? ({ true: true, false: false }[value.toLowerCase()] ?? value) : value;
  return setting(z.preprocess(read, z.boolean(fail(must))), must, options);
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
  const error = (issue: { readonly input?: unknown }) =>
    refused.get(String(issue.input).toLowerCase()) ?? `must be ${must}`;
  return setting(z.preprocess(matchName(values, options.alias), z.enum(values, { error })), must, options);
}

/** A list of names out of several, matched without regard to case. In the environment: separated by commas. */
export function choices<const T extends string>(values: readonly T[], options: SettingOptions<NoInfer<T>[]>) {
  const must = `a list of ${values.join(", ")}`;
  const item = z.preprocess(matchName(values), z.enum(values, fail(must)));
  return setting(z.preprocess(scalarList, z.array(item, fail(must))), must, options);
}

/** A list of texts. In the environment: separated by commas. `must` describes what `accepts` asks of each. */
export function texts(
  options: SettingOptions<string[]> & { readonly accepts?: (value: string) => boolean; readonly must?: string },
) {
  const must = options.must ?? "a list of texts";
  const item = z.string(fail(must)).refine(options.accepts ?? (() => true), fail(must));
  return setting(z.preprocess(scalarList, z.array(z.preprocess(scalarText, item), fail(must))), must, options);
}

/** A map of texts, or a list of one-key maps. In the environment: as YAML or JSON. */
export function textMap(options: SettingOptions<Record<string, string>>) {
  const must = "a map of texts";
  const schema = z.record(z.string(), z.preprocess(scalarText, z.string(fail(must))), fail(must));
  return setting(
    z.preprocess((value) => joinMaps(structured(value)), schema),
    must,
    options,
  );
}

/** A structure of its own. In the environment: as YAML or JSON. */
export function structure<S extends z.ZodType>(schema: S, must: string, options: SettingOptions<z.output<S>>) {
  return setting(z.preprocess(structured, schema), must, options);
}

/** A duration of zero or more in Go's notation; its value is in milliseconds. */
export function duration(options: { readonly about: string; readonly default: string; readonly effect?: Effect }) {
  const must = "a duration such as 30s or 1m30s";
  const read = (value: unknown) => parseGoDuration(String(value));
  const schema = z.preprocess(read, z.number(fail(must)).min(0, fail(must)));
  return setting(schema, must, { ...options, default: parseGoDuration(options.default) ?? 0 }, options.default);
}

/** A Kubernetes quantity of zero or more, kept as it is written; empty means not set. */
export function quantity(options: SettingOptions<string>) {
  const must = "a quantity such as 500Mi or 200m";
  const schema = z.string(fail(must)).refine((value) => value === "" || (parseQuantity(value) ?? -1) >= 0, fail(must));
  return setting(z.preprocess(scalarText, schema), must, options);
}

/** A number of bytes as a Kubernetes quantity; its value is the number. */
export function byteSize(options: { readonly about: string; readonly default: string; readonly effect?: Effect }) {
  const must = "a size such as 100M or 64Mi";
  const read = (value: unknown) => parseQuantity(String(value));
  const schema = z.preprocess(read, z.number(fail(must)).min(0, fail(must)));
  return setting(schema, must, { ...options, default: parseQuantity(options.default) ?? 0 }, options.default);
}

function setting<S extends z.ZodType>(
  schema: S,
  type: string,
  options: SettingOptions<NoInfer<z.output<S>>>,
  shown?: string,
) {
  const { about, effect } = options;
  // The cast is needed because zod types a default by NoUndefined<output>, which TypeScript cannot reduce for a generic
  // S.
  const withDefault = schema.default(options.default as never);
  return withDefault.meta({ about, type, ...(effect && { effect }), shown: shown ?? JSON.stringify(options.default) });
}

function fail(must: string): { readonly error: string } {
  return { error: `must be ${must}` };
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
    return parseYaml(value);
  } catch {
    return value;
  }
}

function matchName<T extends string>(values: readonly T[], aliases: Readonly<Record<string, T>> = {}) {
  const names = new Map([...Object.entries(aliases), ...values.map((value) => [value.toLowerCase(), value] as const)]);
  return (value: unknown): unknown => names.get(String(value).toLowerCase()) ?? value;
}
