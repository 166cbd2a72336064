import { create, createFileRegistry, type DescMethodBiDiStreaming, type Message } from "@bufbuild/protobuf";
import {
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** `ServerReflectionRequest`: a question about what this server offers. */
export interface ReflectionRequest extends Message {
  readonly messageRequest:
    | { readonly case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType"; readonly value: string }
    | { readonly case: "listServices"; readonly value: string }
    | {
        readonly case: "fileContainingExtension";
        readonly value: { readonly containingType: string; readonly extensionNumber: number };
      }
    | { readonly case: undefined; readonly value?: undefined };
}

/** The answer of `ServerReflectionResponse`, without what is the same in each. */
export type ReflectionResponse =
  | { readonly case: "fileDescriptorResponse"; readonly value: { readonly fileDescriptorProto: Uint8Array[] } }
  | {
      readonly case: "allExtensionNumbersResponse";
      readonly value: { readonly baseTypeName: string; readonly extensionNumber: number[] };
    }
  | { readonly case: "listServicesResponse"; readonly value: { readonly service: { readonly name: string }[] } }
  | { readonly case: "errorResponse"; readonly value: { readonly errorCode: number; readonly errorMessage: string } };

const { STRING, INT32, BYTES, MESSAGE } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

/**
 * The method of gRPC's server reflection (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md) in the
 * package `grpc.reflection.v1` or its older namesake. The `.proto` file is written here as data: no package has it for
 * protobuf-es.
 */
export function createReflectionMethod(protoPackage: "grpc.reflection.v1" | "grpc.reflection.v1alpha") {
  const field = (number: number, name: string, type: FieldDescriptorProto_Type | string): FieldDescriptorProto =>
    create(FieldDescriptorProtoSchema, {
      number,
      name,
      label: OPTIONAL,
      ...(typeof type === "string" ? { type: MESSAGE, typeName: `.${protoPackage}.${type}` } : { type }),
    });
  const repeated = (of: FieldDescriptorProto) => ({ ...of, label: REPEATED });
  const choice = (of: FieldDescriptorProto) => ({ ...of, oneofIndex: 0 });

  const file = create(FileDescriptorProtoSchema, {
    name: `${protoPackage.replaceAll(".", "/")}/reflection.proto`,
    package: protoPackage,
    syntax: "proto3",
    messageType: [
      {
        name: "ServerReflectionRequest",
        oneofDecl: [{ name: "message_request" }],
        field: [
          field(1, "host", STRING),
          choice(field(3, "file_by_filename", STRING)),
          choice(field(4, "file_containing_symbol", STRING)),
          choice(field(5, "file_containing_extension", "ExtensionRequest")),
          choice(field(6, "all_extension_numbers_of_type", STRING)),
          choice(field(7, "list_services", STRING)),
        ],
      },
      {
        name: "ExtensionRequest",
        field: [field(1, "containing_type", STRING), field(2, "extension_number", INT32)],
      },
      {
        name: "ServerReflectionResponse",
        oneofDecl: [{ name: "message_response" }],
        field: [
          field(1, "valid_host", STRING),
          field(2, "original_request", "ServerReflectionRequest"),
          choice(field(4, "file_descriptor_response", "FileDescriptorResponse")),
          choice(field(5, "all_extension_numbers_response", "ExtensionNumberResponse")),
          choice(field(6, "list_services_response", "ListServiceResponse")),
          choice(field(7, "error_response", "ErrorResponse")),
        ],
      },
      { name: "FileDescriptorResponse", field: [repeated(field(1, "file_descriptor_proto", BYTES))] },
      {
        name: "ExtensionNumberResponse",
        field: [field(1, "base_type_name", STRING), repeated(field(2, "extension_number", INT32))],
      },
      { name: "ListServiceResponse", field: [repeated(field(1, "service", "ServiceResponse"))] },
      { name: "ServiceResponse", field: [field(1, "name", STRING)] },
      { name: "ErrorResponse", field: [field(1, "error_code", INT32), field(2, "error_message", STRING)] },
    ],
    service: [
      {
        name: "ServerReflection",
        method: [
          {
            name: "ServerReflectionInfo",
            inputType: `.${protoPackage}.ServerReflectionRequest`,
            outputType: `.${protoPackage}.ServerReflectionResponse`,
            clientStreaming: true,
            serverStreaming: true,
          },
        ],
      },
    ],
  });
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService(
    `${protoPackage}.ServerReflection`,
  );
  // The descriptor above says that it streams both ways, which its type can't.
  const [method] = (service?.methods ?? []) as DescMethodBiDiStreaming[];
  if (method === undefined) throw new Error("the reflection service has lost its method");
  return method;
}
