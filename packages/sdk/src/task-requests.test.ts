import { MountRequirement, type SecretRequest, sharedVariable } from "@flyte-secrets/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inheritRequests } from "./task-requests.ts";

const name = fc.constantFrom("", "a", "b");
const request: fc.Arbitrary<SecretRequest> = fc.record({
  group: name,
  groupVersion: fc.constantFrom("", "1"),
  key: name,
  mountRequirement: fc.constantFrom(...Object.values(MountRequirement)),
  envVar: fc.constantFrom("", "V"),
});
const requests = fc.uniqueArray(request, { selector: (made) => JSON.stringify(made), maxLength: 6 });
const at = ({ group, key }: SecretRequest): string => JSON.stringify([group, key]);

test("inheriting keeps every own request last, and of the others those for other groups, keys and variables", () => {
  fc.assert(
    fc.property(requests, requests, (own, inherited) => {
      const owned = new Set(own.map(at));
      const isFree = (other: SecretRequest) => own.every((mine) => sharedVariable(other, mine) === undefined);
      const kept = inherited.filter((other) => !owned.has(at(other)) && isFree(other));
      expect(inheritRequests(own, inherited)).toEqual([...kept, ...own]);
    }),
  );
});

test("a request that comes twice is there once, and inheriting again changes nothing", () => {
  fc.assert(
    fc.property(requests, requests, (own, inherited) => {
      const once = inheritRequests(own, [...inherited, ...inherited, ...own]);
      expect(once).toEqual(inheritRequests(own, inherited));
      expect(inheritRequests(own, once)).toEqual(once);
    }),
  );
});
