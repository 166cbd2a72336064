import { quote, type SecretRequest } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { isNowhere } from "../explain/explain-pods.ts";
import { explainRequest } from "../explain/explain-request.ts";
import { createRecorder } from "../explain/open-managers.ts";
import { nameOf } from "../project-file/project-file.ts";
import type { InjectionSettings } from "../run/inject-task.ts";
import type { FileRequests } from "./requests-from.ts";

/**
 * The requests without the optional ones that no secret manager has; a note names each that is left out. One that is
 * there and can't be given stays, so that the program is refused. Throws as `explainRequest` does.
 */
export async function skipOptional(
  { requests, optional }: Pick<FileRequests, "requests" | "optional">,
  { injection, cli }: { readonly injection: InjectionSettings; readonly cli: CliContext },
): Promise<readonly SecretRequest[]> {
  const { lookup, global, scope, secretEnvVarPrefix, envVarNaming } = injection;
  const recorder = createRecorder({ lookup, global, type: "" });
  const context = {
    labels: { organization: scope.org, domain: scope.domain, project: scope.project },
    namespace: `${scope.project}-${scope.domain}`,
    variables: { prefix: secretEnvVarPrefix, style: envVarNaming },
  };
  const asked = { managers: injection.createManagersOver(recorder), takePlaces: recorder.take, context };
  const kept: SecretRequest[] = [];
  for (const request of requests) {
    if (optional.has(request) && isNowhere(await explainRequest(request, asked))) {
      cli.stderr.write(`note: ${quote(nameOf(request))} is optional, was not found, and is left out\n`);
    } else kept.push(request);
  }
  return kept;
}
