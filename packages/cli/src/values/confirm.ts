import { SecretsError } from "@flyte-secrets/core";
import type { Host } from "../host.ts";
import { canAsk, openPrompt } from "./prompt.ts";

/** Asks on a terminal before something goes: `canceled` unless the answer is yes. False where there is nobody to ask. */
export async function confirmRemoval(question: string, { host, otherwise }: ConfirmOptions): Promise<boolean> {
  if (!canAsk(host)) return false;
  const prompt = await openPrompt(host);
  if (!(await prompt.confirm(question))) throw new SecretsError("canceled", `not confirmed; ${otherwise}`);
  return true;
}

interface ConfirmOptions {
  readonly host: Host;
  /** What a no means, after `not confirmed`. */
  readonly otherwise: string;
}
