import { describe } from "vitest";
import { describeListing } from "./describe-listing.ts";
import { describeModel } from "./describe-model.ts";
import { describeReadsAndWrites } from "./describe-reads-and-writes.ts";
import { describeSystemSecrets } from "./describe-system-secrets.ts";
import { describeWatch } from "./describe-watch.ts";
import type { StartStore } from "./store-harness.ts";

/** Declares the contract of `SecretStore` as tests of one implementation. Each test starts a store of its own. */
export function describeSecretStore(name: string, start: StartStore): void {
  describe(`${name} as a secret store`, () => {
    describeReadsAndWrites(start);
    describeSystemSecrets(start);
    describeListing(start);
    describeWatch(start);
    describeModel(start);
  });
}
