import { DEFAULT_POD_LIMITS, type PodLimits } from "@flyte-secrets/core";
import { byteSize, integer, section } from "./setting.ts";

const count = (name: keyof PodLimits, about: string) => integer({ default: DEFAULT_POD_LIMITS[name], min: 1, about });
const length = (name: keyof PodLimits, what: string) => count(name, `Characters of ${what}.`);

/** `webhook.limits`: what the ports take, and what one pod may ask for (`PodLimits`). */
export const limitsSection = section(
  "Limits of the webhook. A pod over a limit is rejected before any work is done for it.",
  {
    bodyBytes: byteSize({
      default: "8Mi",
      about: "Maximum size of a review in bytes. API servers send at most 3 MiB, plus escapes in JSON.",
    }),
    allBodiesBytes: byteSize({
      default: "64Mi",
      about:
        "Maximum size in bytes of all reviews in flight. A review that needs more ends the one that has occupied " +
        "the most memory for the longest time, with 503.",
    }),
    connections: integer({
      default: 4096,
      min: 1,
      about:
        "Maximum number of connections to `listenPort`. A further connection closes the one that has been idle " +
        "longest, first one without a request.",
    }),
    connectionsPerAddress: integer({
      default: 0,
      min: 0,
      about:
        "Maximum number of connections of one address; 0: no limit, since API servers behind a gateway share one " +
        "address.",
    }),
    invalidationsPerSecond: integer({
      default: 200,
      min: 1,
      about: "Maximum number of calls of `/invalidate-secret` per second; further calls get 429.",
    }),
    requests: count("requests", "Secret requests per pod."),
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
