import { type GoProgram, goProgram, requireGoProgram } from "./go-program.ts";
import type { Requirement } from "./requirement.ts";

export const GRPCURL_VERSION = "v1.9.4";

const PROGRAM: GoProgram = {
  name: "grpcurl",
  path: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
  version: GRPCURL_VERSION,
};

/** A gRPC client that learns from the server what it offers. */
export const GRPCURL = goProgram(PROGRAM);

/** Builds grpcurl into the user's cache unless it is there. */
export function requireGrpcurl(): Requirement {
  return requireGoProgram(PROGRAM);
}
