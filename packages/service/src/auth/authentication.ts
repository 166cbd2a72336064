import type { ServiceImpl } from "@connectrpc/connect";
import type { AuthMetadataService } from "@flyte-secrets/idl";

/** The headers of a request. */
export type RequestHeader = Pick<Headers, "get">;

/** Authentication of callers, and the metadata by which clients learn how to authenticate. */
export interface Authentication {
  /** Throws `unauthenticated` unless the headers have valid credentials. */
  authorise(headers: RequestHeader): void | Promise<void>;
  /** Describe to clients how to authenticate; they need no credentials. */
  readonly handlers: ServiceImpl<typeof AuthMetadataService>;
  /** The issuer's own metadata (RFC 8414); undefined without an issuer. */
  issuerMetadata(): Promise<object> | undefined;
  /** Aborts requests to the issuer. */
  close(): void;
}

/**
 * The bearer tokens of a request: that of `authorization`, and that of `proxy-authorization`, the only one that Flyte's
 * clients can send over plain HTTP.
 */
export function bearerTokens(headers: RequestHeader): string[] {
  return [headers.get("authorization"), headers.get("proxy-authorization")].flatMap((header) => {
    const token = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
    return token === undefined ? [] : [token];
  });
}
