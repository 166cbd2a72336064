import type { Random } from "./random.ts";

/** What a field that is read may turn out to be. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  " ",
  "__proto__",
  "constructor",
  "\ud800",
  "a".repeat(300),
  [],
  {},
  [null],
  [[]],
  { "": "" },
  { toString: 1, hasOwnProperty: 1 },
];
/** How deep a list inside a list is made; Node's own parser takes it. */
const DEEP = 2_000;

export interface MutateJsonOptions {
  readonly random: Random;
  /** Inputs to take parts from, those of them that are JSON. */
  readonly corpus: readonly Uint8Array[];
  readonly dictionary: readonly Uint8Array[];
}

/** `input` with one of its parts changed, removed, doubled or moved; as it is when it isn't a JSON object or list. */
export function mutateJson(input: Uint8Array, options: MutateJsonOptions): Uint8Array {
  const document = parse(input);
  if (typeof document !== "object" || document === null) return input;
  const { random } = options;
  const { parent, name } = random.pick(placesIn(document));
  const members = parent as Record<string, unknown>; // a list has its indexes as names
  switch (random.below(7)) {
    case 0:
      members[name] = random.pick(ODD_VALUES);
      break;
    case 1:
      if (Array.isArray(parent)) parent.splice(Number(name), 1);
      else delete members[name];
      break;
    case 2:
      members[name] = Buffer.from(random.pick(options.dictionary.length > 0 ? options.dictionary : [input])).toString();
      break;
    case 3: {
      const other = random.pick(placesIn(document));
      members[name] = structuredClone((other.parent as Record<string, unknown>)[other.name]);
      break;
    }
    case 4:
      if (Array.isArray(parent)) parent.push(structuredClone(members[name]));
      else members[nameFor(options)] = structuredClone(members[name]);
      break;
    case 5: {
      const other = parse(random.pick(options.corpus));
      if (typeof other !== "object" || other === null) break;
      const place = random.pick(placesIn(other));
      members[name] = (place.parent as Record<string, unknown>)[place.name];
      break;
    }
    default: {
      // As text: a value this deep can't be printed by JSON.stringify on every stack.
      members[name] = "\u0001deep";
      const deep = "[".repeat(DEEP) + "]".repeat(DEEP);
      return Buffer.from(JSON.stringify(document).replace('"\\u0001deep"', random.oneIn(8) ? deep : "[[[[]]]]"));
    }
  }
  const text = JSON.stringify(document);
  // A name twice, which no object can have.
  return Buffer.from(random.oneIn(40) ? text.replace(/"(\w+)":/, '"$1":null,"$1":') : text);
}

interface Place {
  readonly parent: object;
  readonly name: string;
}

/** Every member of every object and list; one of a member that isn't there for a document that is empty. */
function placesIn(document: object): Place[] {
  const places: Place[] = [];
  const visit = (parent: object, depth: number) => {
    for (const [name, value] of Object.entries(parent)) {
      places.push({ parent, name });
      if (typeof value === "object" && value !== null && depth < 64) visit(value, depth + 1);
    }
  };
  visit(document, 0);
  return places.length > 0 ? places : [{ parent: document, name: "0" }];
}

function nameFor({ random, dictionary }: MutateJsonOptions): string {
  const names = ["__proto__", "constructor", "", "x/y~z", "name"];
  if (dictionary.length > 0 && random.oneIn(2)) return Buffer.from(random.pick(dictionary)).toString();
  return random.pick(names);
}

function parse(input: Uint8Array): unknown {
  if (input[0] !== 0x7b && input[0] !== 0x5b) return undefined;
  try {
    return JSON.parse(Buffer.from(input).toString());
  } catch {
    return undefined;
  }
}
