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
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createJsonDecoder } from "../rest/request-json.ts";
import { withPathName } from "../rest/rest-routes.ts";
import type { CallScope } from "../rpc/call-context.ts";

/**
 * Executes a call whose message has been decoded, and encodes the answer: JSON as text, which Node writes in one piece.
 */
export type RunUnary = (scope: CallScope) => Promise<Uint8Array<ArrayBuffer> | string>;

export interface MessageForm {
  readonly binary: boolean;
  /** The name in a REST path, which replaces the message's. */
  readonly pathName?: string | undefined;
}

/** One unary RPC, with its message types hidden. */
export interface UnaryCall {
  /** `/package.Service/Method`. */
  readonly rpcPath: string;
  /** Largest request message, once it is decompressed. */
  readonly readMaxBytes: number;
  /** Whether Connect's GET may make it. */
  readonly isIdempotent: boolean;
  /** Throws for bytes that are not the request. The answer has the same form, binary or JSON. */
  decode(bytes: Uint8Array, form: MessageForm): RunUnary;
}

/** Makes the call of `method` that `handle` executes. Messages are read and written as the Connect library does it. */
export function createUnaryCall<I extends DescMessage, O extends DescMessage>(
  { input, output, parent, name, idempotency }: DescMethodUnary<I, O>,
  handle: (request: MessageShape<I>, scope: CallScope) => Promise<MessageInitShape<O>>,
  readMaxBytes: number,
): UnaryCall {
  const text = createJsonDecoder(input);
  return {
    rpcPath: `/${parent.typeName}/${name}`,
    readMaxBytes,
    isIdempotent: idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
    decode(bytes, { binary, pathName }) {
      const message = binary
        ? fromBinary(input, bytes, { readUnknownFields: false })
        : fromJsonString(input, text.decode(bytes), { ignoreUnknownFields: true });
      const request = withPathName(message, pathName);
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
