import type { ScopeOptions, TargetOptions } from "../options/secret-options.ts";

/** The options that name a scope, each as one word. */
export function scopeFlags({ project, domain }: ScopeOptions): string[] {
  return [...(project ? [`--project=${project}`] : []), ...(domain ? [`--domain=${domain}`] : [])];
}

/** The options that name a target, each as one word. */
export function targetFlags({ endpoint, insecure, local, org, config = [] }: TargetOptions): string[] {
  return [
    ...(endpoint === undefined ? [] : [`--endpoint=${endpoint}`]),
    ...(insecure ? ["--insecure"] : []),
    ...(local ? ["--local"] : []),
    ...(org === undefined ? [] : [`--org=${org}`]),
    ...config.map((file) => `--config=${file}`),
  ];
}
