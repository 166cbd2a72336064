import { createHash, timingSafeEqual } from "node:crypto";
import { type ListRequest, SecretsError } from "@flyte-secrets/core";

const DIGEST_BYTES = 16;

/** The listing that a token belongs to. */
export interface Listing extends Pick<ListRequest, "scope" | "includeSystem"> {
  /** What is listed, such as the names of the cluster and of the namespace. */
  readonly source: readonly string[];
}

/**
 * A page token: a position in a listing, with a digest over both. The digest keeps a token from being used for another
 * listing by mistake. It has no key, since a made-up position leads nowhere but to another page of the same listing.
 */
export function encodeListToken(listing: Listing, position: string): string {
  return Buffer.concat([digest(listing, position), Buffer.from(position)]).toString("base64url");
}

/** The position in a token; `page_token_invalid` unless {@link encodeListToken} made it for the same listing. */
export function decodeListToken(listing: Listing, token: string): string {
  const bytes = Buffer.from(token, "base64url");
  const position = bytes.subarray(DIGEST_BYTES).toString();
  if (bytes.length > DIGEST_BYTES && timingSafeEqual(digest(listing, position), bytes.subarray(0, DIGEST_BYTES))) {
    return position;
  }
  throw invalidListToken();
}

/** The error for a token that does not belong to a listing. */
export function invalidListToken(): SecretsError {
  return new SecretsError(
    "page_token_invalid",
    "token: not a page token of this listing (same store, scope and include_system_secrets). " +
      "List again without a token.",
  );
}

function digest({ source, scope, includeSystem }: Listing, position: string): Buffer {
  const { org, domain, project } = scope;
  const content = JSON.stringify([...source, org, domain, project, includeSystem, position]);
  return createHash("sha256").update(content).digest().subarray(0, DIGEST_BYTES);
}
