import { quote, SecretsError, type SecretValue } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { readLocalValues } from "../values/local-values.ts";
import type { LocalValuesOptions } from "../values/local-values-options.ts";
import { writeOutput } from "../values/output-file.ts";
import { readInput } from "../values/read-input.ts";
import { type FileOptions, pairFiles, STANDARD_INPUT } from "./pair-files.ts";
import { describePlace, type Placeholder, parseTemplate, type Template, type TemplatePart } from "./parse-template.ts";

/** What the command line of `inject` gives. */
export interface InjectOptions extends FileOptions, LocalValuesOptions {}

const MAX_TEMPLATE_BYTES = 1024 * 1024;
/** Of all templates together: as many as a pod may ask for. */
const MAX_SECRETS = 256;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** In an error. */
const MAX_PLACES = 5;

interface ParsedTemplate extends Template {
  readonly parts: readonly TemplatePart[];
}

/** Replaces the placeholders of each template by values. Nothing is written unless all of them have one. */
export async function injectFiles(options: InjectOptions, cli: CliContext): Promise<void> {
  const files = pairFiles(options, cli);
  const templates: ParsedTemplate[] = [];
  for (const { from } of files) {
    const bytes = await readInput(from, { option: "--from-file", maxBytes: MAX_TEMPLATE_BYTES, cli });
    const template = { file: from === STANDARD_INPUT ? "standard input" : from, bytes };
    templates.push({ ...template, parts: parseTemplate(template) });
  }
  const uses = findFirstUses(templates);
  const values = await readLocalValues([...uses.keys()], {
    options,
    cli,
    placesOf: (names) => names.slice(0, MAX_PLACES).flatMap((name) => describeUse(name, uses.get(name))),
  });
  const encode = createEncoder(values);
  const results = templates.map((template) =>
    template.parts.map((part) => (part.kind === "bytes" ? part.bytes : encode(part, template))),
  );
  const size = results.flat().reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (size > MAX_OUTPUT_BYTES) throw invalid(`the results have ${size} bytes, and may have ${MAX_OUTPUT_BYTES}`);
  for (const [index, { to }] of files.entries()) await writeOutput(to, Buffer.concat(results[index] ?? []), cli);
}

/** The first place that names a secret. */
interface Use {
  readonly template: Template;
  readonly at: number;
}

function findFirstUses(templates: readonly ParsedTemplate[]): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  for (const template of templates) {
    for (const part of template.parts) {
      if (part.kind === "bytes" || uses.has(part.name)) continue;
      if (uses.size === MAX_SECRETS) {
        throw invalid(`${describePlace(template, part.at)}: this is more than ${MAX_SECRETS} secrets together`);
      }
      uses.set(part.name, { template, at: part.at });
    }
  }
  return uses;
}

function describeUse(name: string, use: Use | undefined): string[] {
  return use === undefined ? [] : [`  ${describePlace(use.template, use.at)} asks for ${quote(name)}.`];
}

/** Makes the bytes of placeholders, each form of a value once. */
function createEncoder(values: ReadonlyMap<string, SecretValue>): (one: Placeholder, template: Template) => Uint8Array {
  const encoded = new Map<string, Uint8Array>();
  return (placeholder, template) => {
    const { name, form } = placeholder;
    const key = `${form} ${name}`;
    const value = values.get(name);
    if (value === undefined) throw new Error("a secret of a template was not read");
    const bytes = encoded.get(key) ?? encode(value, form);
    if (bytes === undefined) {
      const where = describePlace(template, placeholder.at);
      throw invalid(`${where}: the value of ${quote(name)} is no text, which JSON needs; | base64 takes any bytes`);
    }
    encoded.set(key, bytes);
    return bytes;
  };
}

/** Undefined where a value can't have the form. */
function encode(value: SecretValue, form: Placeholder["form"]): Uint8Array | undefined {
  switch (form) {
    case "raw":
      return value.revealBytes();
    case "base64":
      return Buffer.from(value.revealBase64());
    case "json": {
      const text = value.revealText();
      return text === undefined ? undefined : Buffer.from(JSON.stringify(text));
    }
  }
}

const invalid = (problem: string): SecretsError => new SecretsError("invalid_argument", problem);
