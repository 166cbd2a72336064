import { createHash, randomBytes } from "node:crypto";

/** What the demo keeps secret, made anew each time: text by the name of its secret, and one value that is no text. */
export interface Values {
  readonly "my-api-key": string;
  /** The same name at global scope, which no task of the project gets to see. */
  readonly "my-api-key, global": string;
  readonly "my-api-key, rotated": string;
  readonly "openai-key": string;
  readonly "db-config": Uint8Array;
  readonly password: string;
  readonly "session-key": string;
  readonly registry: string;
}

export function createValues(): Values {
  const text = (): string => randomBytes(18).toString("base64url");
  return {
    "my-api-key": text(),
    "my-api-key, global": text(),
    "my-api-key, rotated": text(),
    "openai-key": text(),
    "db-config": randomBytes(64),
    password: text(),
    "session-key": text(),
    registry: text(),
  };
}

export function digest(value: string | Uint8Array): string {
  return createHash("sha256").update(value).digest("hex");
}

/** Whether `text` shows one of the values, as it is, in base64 or in hex. */
export function showsAny(text: string, values: Values): boolean {
  return Object.values(values).some((value: string | Uint8Array) => {
    const bytes = Buffer.from(value);
    return [bytes.toString("latin1"), bytes.toString("base64"), bytes.toString("hex")].some((form) =>
      text.includes(form),
    );
  });
}
