import { type DescEnum, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  EnumValueDescriptorProtoSchema,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  MethodDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

type Described = DescMessage | DescEnum | DescService;

/** These and all that their messages are made of, in the order in which they are met. */
export function reachableTypes(roots: readonly Described[]): readonly Described[] {
  const met = new Set<Described>();
  const visit = (type: Described): void => {
    if (met.has(type)) return;
    met.add(type);
    if (type.kind === "service") for (const method of type.methods) [method.input, method.output].forEach(visit);
    if (type.kind !== "message") return;
    for (const field of type.fields) {
      if (field.message) visit(field.message);
      if (field.enum) visit(field.enum);
    }
  };
  roots.forEach(visit);
  return [...met];
}

/** What a type is made of, by name: fields, values or calls, each with its number, type, rules and other options. */
export type Members = ReadonlyMap<string, string>;

/** A type's members as the types of this program have them. */
export function ownMembers(type: Described): Members {
  switch (type.kind) {
    case "message":
      return messageMembers(type.proto);
    case "enum":
      return enumMembers(type.proto);
    case "service":
      return serviceMembers(type.proto);
  }
}

/** The same of a file's descriptor, such as another package has it. Undefined when it has no such type. */
export function membersIn(file: FileDescriptorProto, typeName: string): Members | undefined {
  const [first = "", ...path] = typeName.slice(file.package.length + 1).split(".");
  const service = file.service.find(({ name }) => name === first);
  if (service) return serviceMembers(service);
  let scope: Pick<FileDescriptorProto["messageType"][number], "nestedType" | "enumType"> = {
    nestedType: file.messageType,
    enumType: file.enumType,
  };
  const parents = [first, ...path];
  const last = parents.pop();
  for (const parent of parents) {
    const found = scope.nestedType.find(({ name }) => name === parent);
    if (found === undefined) return undefined;
    scope = found;
  }
  const message = scope.nestedType.find(({ name }) => name === last);
  if (message) return messageMembers(message);
  const values = scope.enumType.find(({ name }) => name === last);
  return values && enumMembers(values);
}

function messageMembers({ field, oneofDecl }: DescMessage["proto"]): Members {
  return toMembers(field, (one) => {
    // JSON names follow from the others, and not every package writes them down.
    const bytes = toBinary(FieldDescriptorProtoSchema, { ...one, jsonName: "" });
    const oneof = Object.hasOwn(one, "oneofIndex") ? oneofDecl[one.oneofIndex]?.name : "";
    return `${oneof} ${Buffer.from(bytes).toString("hex")}`;
  });
}

function enumMembers({ value }: DescEnum["proto"]): Members {
  return toMembers(value, (one) => Buffer.from(toBinary(EnumValueDescriptorProtoSchema, one)).toString("hex"));
}

function serviceMembers({ method }: DescService["proto"]): Members {
  return toMembers(method, ({ options, ...one }) => {
    const bytes = toBinary(MethodDescriptorProtoSchema, one);
    const rules = (options?.$unknown ?? []).map(({ no, data }) => `${no} ${fieldsIn(data).toSorted()}`);
    return `${Buffer.from(bytes).toString("hex")} ${options?.idempotencyLevel ?? 0} ${rules}`;
  });
}

/**
 * The fields of an option that is a message, such as `google.api.http`: those who write descriptors differ in their
 * order.
 */
function fieldsIn(data: Uint8Array): string[] {
  const reader = new BinaryReader(data);
  const end = reader.uint32() + reader.pos;
  const fields: string[] = [];
  while (reader.pos < end) {
    const start = reader.pos;
    const [, type] = reader.tag();
    reader.skip(type);
    fields.push(Buffer.from(data.subarray(start, reader.pos)).toString("hex"));
  }
  return fields;
}

function toMembers<Member extends { name: string }>(
  members: readonly Member[],
  encode: (one: Member) => string,
): Members {
  return new Map(members.map((one) => [one.name, encode(one)]));
}
