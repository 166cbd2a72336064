import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";

/**
 * Flyte's SecretMetadata has no place for when a secret was updated. It travels as a field that Flyte's messages don't
 * know, which other clients pass over, as protobuf has it; in binary alone, since JSON refuses fields without a name.
 */
const UPDATED_TIME = 15_000;
const LENGTH_DELIMITED = 2;

export type MessageWithTime = Pick<Message, "$unknown">;

/** Puts the time into a SecretMetadata. */
export function writeUpdatedTime(metadata: MessageWithTime, time: Timestamp): void {
  const bytes = toBinary(TimestampSchema, time);
  // With its length before it, as it stands in a message; a Timestamp's is one byte.
  const data = new Uint8Array(1 + bytes.length);
  data[0] = bytes.length;
  data.set(bytes, 1);
  metadata.$unknown = [{ no: UPDATED_TIME, wireType: LENGTH_DELIMITED, data }];
}

/** The time in a SecretMetadata; undefined from a service that doesn't send one. */
export function readUpdatedTime(metadata: MessageWithTime): Timestamp | undefined {
  const field = metadata.$unknown?.find(({ no, wireType }) => no === UPDATED_TIME && wireType === LENGTH_DELIMITED);
  if (field === undefined || field.data[0] !== field.data.length - 1) return undefined;
  try {
    return fromBinary(TimestampSchema, field.data.subarray(1));
  } catch {
    // Somebody else's field of that number.
    return undefined;
  }
}
