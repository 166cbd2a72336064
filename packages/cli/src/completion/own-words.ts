import { isSecretsError } from "@flyte-secrets/core";
import type { Host } from "../host.ts";
import type { Completion } from "./complete.ts";

/**
 * The names, projects or domains of this user's own secrets that begin with what is typed. Nobody else's service is asked at
 * a press of Tab, and what goes wrong offers nothing.
 */
export async function ownWords({ part, begin }: NonNullable<Completion["own"]>, host: Host): Promise<string[]> {
  const { openClient } = await import("../remote/open-client.ts");
  const { findTarget } = await import("../remote/target.ts");
  const { surveySecrets } = await import("../secrets/survey.ts");
  try {
    const target = await findTarget({}, host);
    if (target.kind === "endpoint") return [];
    await using client = await openClient(target, { host });
    const words = new Set((await surveySecrets(client)).map((secret) => secret[part]));
    return [...words].filter((word) => word !== "" && word.startsWith(begin)).sort();
  } catch (error) {
    if (isSecretsError(error)) return [];
    throw error;
  }
}
