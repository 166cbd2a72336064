import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { createJsonDecoder } from "../rest/request-json.ts";
import type { CallScope } from "../rpc/call-context.ts";

/** Executes a call whose message has been decoded, and encodes the answer: JSON as text, which Node writes in one piece. */
export type RunUnary = (scope: CallScope) => Promise<Uint8Array<ArrayBuffer> | string>;

/** One unary RPC, with its message types hidden. */
export interface UnaryCall {
  /** `/package.Service/Method`. */
  readonly rpcPath: string;
  /** Largest request message, once it is decompressed. */
  readonly readMaxBytes: number;
  /** Throws for bytes that are not the request. The answer has the same form, binary or JSON. */
  decode(bytes: Uint8Array, binary: boolean): RunUnary;
}

/** Makes the call of `method` that `handle` executes. Messages are read and written as the Connect library does it. */
export function createUnaryCall<I extends DescMessage, O extends DescMessage>(
  { input, output, parent, name }: DescMethodUnary<I, O>,
  handle: (request: MessageShape<I>, scope: CallScope) => Promise<MessageInitShape<O>>,
  readMaxBytes: number,
): UnaryCall {
  const text = createJsonDecoder(input);
  return {
    rpcPath: `/${parent.typeName}/${name}`,
    readMaxBytes,
    decode(bytes, binary) {
      const request = binary
        ? fromBinary(input, bytes, { readUnknownFields: false })
        : fromJsonString(input, text.decode(bytes), { ignoreUnknownFields: true });
      return async (scope) => {
        const answer = create(output, await handle(request, scope));
        try {
          return binary ? toBinary(output, answer) : toJsonString(output, answer);
        } catch (error) {
          throw ConnectError.from(error, Code.Internal);
        }
      };
    },
  };
}
