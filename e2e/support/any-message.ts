import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const timestamp = fc
  .tuple(fc.date({ min: new Date("1970-01-01"), max: new Date("2999-12-31"), noInvalidDate: true }), fc.nat(999_999))
  .map(([date, nanos]) => date.toISOString().replace("Z", `${String(nanos).padStart(6, "0")}Z`));

/** Messages of a type in protobuf's JSON, each field there or not, one of each oneof, nested at most `depth` deep. */
export function anyMessage(schema: DescMessage, depth = 3): fc.Arbitrary<JsonObject> {
  const choices = schema.members.flatMap((member) => {
    if (member.kind === "field") return [anyField(member, depth)];
    const fields = member.fields.flatMap((field) => anyField(field, depth) ?? []);
    return [fields.length === 0 ? undefined : fc.oneof(...fields)];
  });
  return fc
    .tuple(...choices.filter((choice) => choice !== undefined).map((choice) => fc.option(choice)))
    .map((chosen) => Object.fromEntries(chosen.filter((entry) => entry !== null)));
}

function anyField(field: DescField, depth: number): fc.Arbitrary<readonly [string, JsonValue]> | undefined {
  const value = anyValue(field, depth);
  return value?.map((json) => [field.jsonName, json]);
}

function anyValue(field: DescField, depth: number): fc.Arbitrary<JsonValue> | undefined {
  switch (field.fieldKind) {
    case "scalar":
      return anyScalar(field.scalar);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ name }) => name));
    case "message":
      return anyNested(field.message, depth);
    case "list": {
      const element = field.listKind === "message" ? anyNested(field.message, depth) : anyElement(field);
      return element && fc.array(element, { maxLength: 3 });
    }
    case "map": {
      const value = field.mapKind === "message" ? anyNested(field.message, depth) : anyElement(field);
      return value && fc.dictionary(text, value, { maxKeys: 3, noNullPrototype: true });
    }
  }
}

function anyNested(schema: DescMessage, depth: number): fc.Arbitrary<JsonValue> | undefined {
  if (schema.typeName === "google.protobuf.Timestamp") return timestamp;
  return depth === 0 ? undefined : anyMessage(schema, depth - 1);
}

function anyElement(field: DescField & { fieldKind: "list" | "map" }): fc.Arbitrary<JsonValue> | undefined {
  if (field.scalar !== undefined) return anyScalar(field.scalar);
  return field.enum && fc.constantFrom(...field.enum.values.map(({ name }) => name));
}

function anyScalar(type: ScalarType): fc.Arbitrary<JsonValue> {
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
    case ScalarType.SINT32:
      return fc.integer();
    case ScalarType.UINT32:
      return fc.nat();
    default:
      throw new Error(`no generator for the scalar ${ScalarType[type]} yet`);
  }
}
