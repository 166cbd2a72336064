import { createHmac, timingSafeEqual } from "node:crypto";
import type { ListRequest, SecretId } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { Keyring } from "./keyring.ts";

const MAC_BYTES = 16;

/** The part of a keyring that page tokens need. */
type PageTokenKeys = Pick<Keyring, "storeId" | "pageTokenKey">;

type Filter = Pick<ListRequest, "scope" | "includeSystem">;

/**
 * The token for the page after `last`: its position and a MAC over position, store and filter, in base64url. So a
 * token serves the listing it came from, of the store it came from, and cannot be made up. The next page begins after
 * that position, so no page repeats or omits an entry, whatever is written in between, and the server keeps no state.
 */
export function encodePageToken(keyring: PageTokenKeys, filter: Filter, last: SecretId): string {
  const position = Buffer.from(JSON.stringify([last.org, last.domain, last.project, last.name]));
  return Buffer.concat([mac(keyring, filter, position), position]).toString("base64url");
}

/**
 * The position in a token; `page_token_invalid` unless {@link encodePageToken} made it with the same keyring and
 * filter.
 */
export function decodePageToken(keyring: PageTokenKeys, filter: Filter, token: string): SecretId {
  const bytes = Buffer.from(token, "base64url");
  const position = bytes.subarray(MAC_BYTES);
  if (bytes.length < MAC_BYTES || !timingSafeEqual(mac(keyring, filter, position), bytes.subarray(0, MAC_BYTES))) {
    throw new SecretsError(
      "page_token_invalid",
      "token: not a page token of this listing (same store, scope and include_system_secrets). " +
        "List again without a token.",
    );
  }
  // The MAC proves that encodePageToken wrote this.
  const [org, domain, project, name] = JSON.parse(position.toString()) as [string, string, string, string];
  return { org, domain, project, name };
}

function mac({ storeId, pageTokenKey }: PageTokenKeys, { scope, includeSystem }: Filter, position: Uint8Array): Buffer {
  const listing = JSON.stringify(["list", storeId, scope.org, scope.domain, scope.project, includeSystem]);
  return createHmac("sha256", pageTokenKey).update(`${listing}\n`).update(position).digest().subarray(0, MAC_BYTES);
}
