// Leaves out of generated files what nobody uses. A file's descriptors are decoded whole when it is loaded, with those
// of all that it imports: SelectCluster alone, which needs the ids of ten things, would bring Flyte's tasks and apps.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import * as wkt from "@bufbuild/protobuf/wkt";

/** A top-level declaration: what the generated code makes it by, and where its file's descriptor keeps its kind. */
const KINDS = { messageDesc: "messageType", enumDesc: "enumType", serviceDesc: "service", extDesc: "extension" };

/** Google's own files, which protobuf's runtime has. */
const WELL_KNOWN = Object.values(wkt).flatMap((each) => (each.kind === "file" ? each.proto : []));

const FILE = /fileDesc\("([^"]*)"(?:, \[([^\]]*)\])?\)/;
const DECLARATION = /\b(messageDesc|enumDesc|serviceDesc|extDesc)\((file_\w+), (\d+)/;

/**
 * Gives the generated files, TypeScript by path, with the top-level types of these full names and all that they refer
 * to. Other declarations are left out, and so are custom options and the imports that nothing needs then. TypeScript's
 * types stay as they are.
 */
export function keepUsed(files, names) {
  const protos = new Map([...files].map(([path, text]) => [path, decodeFile(text)]));
  const types = indexTypes([...protos.values(), ...WELL_KNOWN]);
  const used = reach(types, names);
  return new Map([...files].map(([path, text]) => [path, rewrite(text, protos.get(path), { used, types })]));
}

function decodeFile(text) {
  return fromBinary(wkt.FileDescriptorProtoSchema, Buffer.from(FILE.exec(text)[1], "base64"));
}

/** As generated code names a file: `file_flyteidl2_core_tasks`. */
function variableOf({ name }) {
  return `file_${name.replace(/\.proto$/, "").replaceAll(/[^A-Za-z0-9]/g, "_")}`;
}

/** The top-level declarations of a file that have a name of their own. */
function topLevel(proto) {
  return Object.values(KINDS).flatMap((kind) =>
    proto[kind].map((desc, index) => {
      return { kind, desc, index, name: `${proto.package}.${desc.name}`, file: variableOf(proto) };
    }),
  );
}

/** Every top-level declaration, by its own full name and those of the types within it. */
function indexTypes(protos) {
  const byName = new Map();
  for (const declared of protos.flatMap(topLevel)) {
    const add = (name, { nestedType = [], enumType = [] }) => {
      byName.set(name, declared);
      for (const nested of [...nestedType, ...enumType]) add(`${name}.${nested.name}`, nested);
    };
    add(declared.name, declared.desc);
  }
  return byName;
}

/** The full names of the top-level declarations that these and all that they refer to are in. */
function reach(types, names) {
  const found = new Set();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const declared = types.get(name);
    if (found.has(declared.name)) continue;
    found.add(declared.name);
    pending.push(...namesIn(declared.desc));
  }
  return found;
}

/** The full names of the types that a message, with what is nested in it, or a service refers to. */
function namesIn({ field = [], nestedType = [], method = [] }) {
  const own = [
    ...field.map(({ typeName }) => typeName),
    ...method.flatMap((each) => [each.inputType, each.outputType]),
  ];
  return [...own.filter((name) => name !== "").map((name) => name.slice(1)), ...nestedType.flatMap(namesIn)];
}

function rewrite(text, proto, { used, types }) {
  const kept = topLevel(proto).filter(({ name }) => used.has(name));
  for (const kind of Object.values(KINDS)) {
    proto[kind] = kept.filter((each) => each.kind === kind).map(({ desc }) => withoutCustomOptions(desc));
  }
  const bytes = Buffer.from(toBinary(wkt.FileDescriptorProtoSchema, withoutCustomOptions(proto))).toString("base64");
  const imports = new Set(kept.flatMap(({ desc }) => namesIn(desc)).map((name) => types.get(name).file));
  // Each declaration follows its comment.
  const [head = "", ...statements] = text.split(/\n(?=\/\*\*\n)/);
  const body = statements.flatMap((statement) => {
    const [, made, , index] = DECLARATION.exec(statement) ?? [];
    if (made !== undefined) {
      const declared = kept.find((each) => each.kind === KINDS[made] && each.index === Number(index));
      return declared ? statement.replace(DECLARATION, `$1($2, ${proto[declared.kind].indexOf(declared.desc)}`) : [];
    }
    return statement.replace(FILE, (_all, _bytes, files = "") => {
      return `fileDesc("${bytes}", [${files
        .split(", ")
        .filter((file) => imports.has(file))
        .join(", ")}])`;
    });
  });
  return [withoutUnusedImports(head, body.join("\n")), ...body].join("\n");
}

/** Custom options are extensions, which a descriptor holds as unknown fields. */
function withoutCustomOptions(desc) {
  delete desc.options?.$unknown;
  for (const key of ["field", "oneofDecl", "nestedType", "enumType", "value", "method"])
    desc[key]?.forEach(withoutCustomOptions);
  return desc;
}

/** Types need no import at run time; of the others those go that load a file which nothing names. */
function withoutUnusedImports(head, body) {
  return head.replaceAll(/^import \{ ([^}]*) \} from "[^"]*";\n/gm, (line, names) =>
    names.split(", ").some((name) => new RegExp(`\\b${name}\\b`).test(body)) ? line : "",
  );
}
