import { z } from "zod";
import { choice, section, structure, text, texts, toggle } from "./setting.ts";

const claim = z.string().regex(/^(?:\*|[^/*]+)\/(?:\*|[^/*]+)$/, { error: "must be PROJECT/DOMAIN, each a name or *" });

/** `webhook.scopeBinding`: which pods may claim a scope. */
export const scopeBindingSection = section(
  "Which pods may claim a scope. The first of these that knows the pod's namespace decides.",
  {
    mode: choice(["enforce", "warn", "off"], {
      default: "enforce",
      about: "What becomes of a claim that does not hold.",
    }),
    namespaces: structure(z.record(z.string(), z.array(claim)), "a map of lists of PROJECT/DOMAIN", {
      default: {},
      about:
        "What pods of a namespace may claim, by namespace, as `PROJECT/DOMAIN`; `*` is any project or any domain. A namespace with an entry may claim that and nothing else.",
    }),
    namespaceLabels: toggle({
      default: false,
      about:
        "Whether the labels `flyte.secrets/project` and `flyte.secrets/domain` of a namespace say what its pods may claim. Needs the rights get, list and watch on namespaces.",
    }),
    namespaceTemplate: text({
      default: "{{ project }}-{{ domain }}",
      about: "The namespace that a pod's project and domain labels must lead to, for projects and domains that exist.",
    }),
    domains: texts({
      default: ["development", "staging", "production"],
      about: "Domains that exist, for `namespaceTemplate`; Flyte's own by default. `*` is any.",
    }),
    projects: texts({
      default: [],
      about: "Projects that exist, for `namespaceTemplate`. Empty: any.",
    }),
    trustedNamespaces: texts({
      default: ["flyte"],
      about: "Namespaces whose pods may claim any project and domain. Not given: `actions.kubernetes.namespace`.",
    }),
    trustedCreators: texts({ default: [], about: "Users, and groups as `group:NAME`, whose pods may." }),
  },
);
