import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type GoProgram, goProgram, requireGoProgram } from "../support/go-program.ts";
import { GRPCURL, requireGrpcurl } from "../support/grpcurl.ts";
import type { Requirement } from "../support/requirement.ts";

const MODULE = "connectrpc.com/conformance";
export const CONFORMANCE_VERSION = "v1.0.7";

const PROGRAM: GoProgram = {
  name: "connectconformance",
  path: `${MODULE}/cmd/connectconformance`,
  version: CONFORMANCE_VERSION,
};

/** Connect's own conformance suite. */
export const CONNECT_CONFORMANCE = goProgram(PROGRAM);

/**
 * Builds the suite and grpcurl, which reads the suite's `.proto` files, into the user's cache unless they are there.
 */
export function requireConformance(): Requirement {
  const suite = requireGoProgram(PROGRAM);
  return suite.missing ? suite : requireGrpcurl();
}

/** Writes the descriptors of the suite's service to a file, from the `.proto` files in its module. */
export function writeDescriptors(file: string): void {
  const module = execFileSync("go", ["mod", "download", "-json", `${MODULE}@${PROGRAM.version}`], { encoding: "utf8" });
  const { Dir: directory } = JSON.parse(module) as { Dir: string };
  const folders = [join(directory, "proto"), import.meta.dirname].flatMap((folder) => ["-import-path", folder]);
  const protos = ["-proto", "connectrpc/conformance/v1/service.proto", "-proto", "server-under-test.proto"];
  execFileSync(GRPCURL, [...folders, ...protos, "-protoset-out", file, "describe"]);
}
