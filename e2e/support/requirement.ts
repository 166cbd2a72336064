import { describe, type SuiteFactory } from "vitest";

/** Something a suite needs that `npm ci` does not bring: there, or not there with the command that brings it. */
export type Requirement =
  | { readonly missing: false }
  | { readonly missing: true; readonly what: string; readonly enable: string };

/**
 * A suite that runs where its requirement is met. Elsewhere it is skipped with a line that says how to enable it; with
 * `CI=true` a skip is a failure.
 */
export function describeWith(requirement: Requirement, title: string, suite: SuiteFactory): void {
  if (!requirement.missing) {
    describe(title, suite);
    return;
  }
  const reason = `${title}: needs ${requirement.what}. Enable it with: ${requirement.enable}`;
  if (process.env.CI === "true") throw new Error(reason);
  console.warn(`SKIPPED ${reason}`);
  describe.skip(title, suite);
}
