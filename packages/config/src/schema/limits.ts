import { DEFAULT_POD_LIMITS, type PodLimits } from "@flyte-secrets/core";
import { byteSize, integer, section } from "./setting.ts";

const count = (name: keyof PodLimits, about: string) => integer({ default: DEFAULT_POD_LIMITS[name], min: 1, about });
const length = (name: keyof PodLimits, what: string) => count(name, `Characters of ${what}.`);

/** `webhook.limits`: what the ports take, and what one pod may ask for (`PodLimits`). */
export const limitsSection = section(
  "How much the webhook puts up with. A pod that asks for more is rejected before any work is done for it.",
  {
    bodyBytes: byteSize({
      default: "8Mi",
      about: "Bytes of a review. API servers send 3 MiB, and escapes in JSON, at the most.",
    }),
    allBodiesBytes: byteSize({
      default: "64Mi",
      about:
        "Bytes of all reviews under way. One that needs more ends the one that has taken up most room for the longest time, with 503.",
    }),
    connections: integer({
      default: 4096,
      min: 1,
      about:
        "Connections to `listenPort` at a time. A further one ends the one that has been idle longest, those without a request first.",
    }),
    connectionsPerAddress: integer({
      default: 0,
      min: 0,
      about:
        "Those of one address, within `connections`; 0: no such limit, since all API servers behind one gateway are one address.",
    }),
    invalidationsPerSecond: integer({
      default: 200,
      min: 1,
      about: "Calls of `/invalidate-secret` that are taken in a second; further ones get 429.",
    }),
    requests: count("requests", "Requests a pod."),
    annotationLength: length("annotationLength", "a request's annotation"),
    groupLength: length("groupLength", "a request's group; managers whose names are shorter have their own limit"),
    groupVersionLength: length("groupVersionLength", "a request's group version"),
    keyLength: length("keyLength", "a request's key"),
    envVarLength: length("envVarLength", "the variable that a request names"),
    idLength: length("idLength", "a secret's encoded id; one that would be longer is not looked up"),
    edits: count("edits", "Variables and mounts of the secrets of a pod, times its containers."),
    patchBytes: byteSize({ default: "1Mi", about: "Bytes of the patch of a pod, as JSON." }),
    warnings: count("warnings", "Warnings about one pod; the last says how many more there are."),
  },
);
