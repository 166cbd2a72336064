import { listOf, mapOf, string } from "./read.ts";
import { choice, section, structure, text, texts, toggle } from "./setting.ts";

const claim = string("PROJECT/DOMAIN, each a name or *", (value) => /^(?:\*|[^/*]+)\/(?:\*|[^/*]+)$/.test(value));
const CLAIMS = "a map of lists of PROJECT/DOMAIN";

/** `webhook.scopeBinding`: which pods may claim a scope. */
export const scopeBindingSection = section(
  "Which pods may claim a scope. The first of these rules that covers the pod's namespace decides.",
  {
    mode: choice(["enforce", "warn", "off"], {
      default: "enforce",
      about: "What happens to a pod with a claim that it may not make.",
    }),
    namespaces: structure(mapOf(listOf(claim, CLAIMS), CLAIMS), CLAIMS, {
      default: {},
      about:
        "Scopes that pods of a namespace may claim, by namespace, as `PROJECT/DOMAIN`; `*` stands for every " +
        "project or domain. Pods of a namespace with an entry may claim nothing else.",
    }),
    namespaceLabels: toggle({
      default: false,
      about:
        "Whether the labels `flyte.secrets/project` and `flyte.secrets/domain` of a namespace decide what its pods " +
        "may claim. Needs the rights get, list and watch on namespaces.",
    }),
    namespaceTemplate: text({
      default: "{{ project }}-{{ domain }}",
      about:
        "Template of the namespace that pods with a project and domain label must be in, for existing projects and " +
        "domains.",
    }),
    domains: texts({
      default: ["development", "staging", "production"],
      about: "Existing domains, for `namespaceTemplate`. Default: Flyte's. `*` stands for every domain.",
    }),
    projects: texts({
      default: [],
      about: "Existing projects, for `namespaceTemplate`. Empty: every project.",
    }),
    trustedNamespaces: texts({
      default: ["flyte"],
      about: "Namespaces whose pods may claim every project and domain. Default: `actions.kubernetes.namespace`.",
    }),
    trustedCreators: texts({
      default: [],
      about: "Users, and groups as `group:NAME`, whose pods may claim every project and domain.",
    }),
  },
);
