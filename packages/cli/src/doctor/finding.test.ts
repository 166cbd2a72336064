import { expect, it } from "vitest";
import { checkClock, note, ok, problem } from "./finding.ts";

it("lets clocks differ by half a minute, and names the difference of more", () => {
  const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000).toUTCString();
  expect(checkClock("the API server", secondsAgo(20))).toEqual(ok("the API server's clock agrees with this one"));
  // The header has whole seconds.
  expect(checkClock("the API server", secondsAgo(-3600))).toEqual(
    problem(expect.stringMatching(/^the API server's clock is (3599|3600) s off$/), "set both clocks by NTP"),
  );
  expect(checkClock("the API server", undefined)).toEqual(note("the API server does not tell its time"));
});
