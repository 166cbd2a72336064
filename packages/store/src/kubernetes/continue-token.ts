import { createHash, timingSafeEqual } from "node:crypto";
import { type ListRequest, SecretsError } from "@flyte-secrets/core";

const DIGEST_BYTES = 16;

/** What a token belongs to. */
export interface Listing extends Pick<ListRequest, "scope" | "includeSystem"> {
  readonly clusterName: string;
  readonly namespace: string;
}

/**
 * Wraps the API server's continue token, tied to its listing. The digest keeps a token from being used elsewhere by mistake; it
 * need not be secret, since a made-up position leads nowhere but on in the same namespace and selection.
 */
export function encodeContinueToken(listing: Listing, position: string): string {
  return Buffer.concat([digest(listing, position), Buffer.from(position)]).toString("base64url");
}

/** The API server's continue token; `page_token_invalid` unless {@link encodeContinueToken} wrapped it for the same listing. */
export function decodeContinueToken(listing: Listing, token: string): string {
  const bytes = Buffer.from(token, "base64url");
  const position = bytes.subarray(DIGEST_BYTES).toString();
  if (bytes.length > DIGEST_BYTES && timingSafeEqual(digest(listing, position), bytes.subarray(0, DIGEST_BYTES))) {
    return position;
  }
  throw new SecretsError(
    "page_token_invalid",
    "token: not a page token of this listing (same store, scope and include_system_secrets). List again without a token.",
  );
}

function digest({ clusterName, namespace, scope, includeSystem }: Listing, position: string): Buffer {
  const { org, domain, project } = scope;
  const content = JSON.stringify([clusterName, namespace, org, domain, project, includeSystem, position]);
  return createHash("sha256").update(content).digest().subarray(0, DIGEST_BYTES);
}
