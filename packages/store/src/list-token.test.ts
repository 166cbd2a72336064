import { isSecretsError } from "@flyte-secrets/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeListToken, encodeListToken, type Listing } from "./list-token.ts";

const listing: Listing = {
  source: ["one", "flyte"],
  scope: { org: "flyte", domain: "d", project: "" },
  includeSystem: false,
};

function decode(other: Listing, token: string): string {
  try {
    return decodeListToken(other, token);
  } catch (error) {
    return isSecretsError(error) ? error.code : "another error";
  }
}

test("a token gives the position back in its own listing, and is refused in any other", () => {
  const others: Listing[] = [
    { ...listing, source: ["two", "flyte"] },
    { ...listing, source: ["one", "other"] },
    { ...listing, scope: { ...listing.scope, org: "acme" } },
    { ...listing, scope: { ...listing.scope, domain: "" } },
    { ...listing, scope: { ...listing.scope, project: "p" } },
    { ...listing, includeSystem: true },
  ];
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "binary" }), (position) => {
      const token = encodeListToken(listing, position);
      expect(token).toMatch(/^[\w-]+$/);
      expect(decode(listing, token)).toBe(position);
      expect(others.map((other) => decode(other, token))).toEqual(others.map(() => "page_token_invalid"));
    }),
  );
});

test("any other text is refused", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decode(listing, text)).toBe("page_token_invalid");
    }),
  );
});
