import type { IncomingMessage } from "node:http";
import { type ApiCall, fromStatus } from "./error.ts";
import type { KubeObject, KubeResource } from "./objects.ts";

/** An event of a watch. */
export type WatchEvent<T> =
  /** The API server has accepted the watch. It is the first event. */
  | { readonly type: "OPENED" }
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T; readonly resourceVersion: string }
  /** Nothing else changed up to this version. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }
  /** The API server has forgotten the version to resume from: list again. It is the last event. */
  | { readonly type: "EXPIRED" };

/** Decodes the lines of a watch's response. Throws for every error but an expired version. */
export async function* decodeWatch<T extends KubeObject>(
  response: IncomingMessage,
  resource: KubeResource<T>,
  call: ApiCall,
): AsyncGenerator<WatchEvent<T>> {
  yield { type: "OPENED" };
  for await (const line of readLines(response)) {
    // Each line of the API server is such an object.
    const { type, object } = JSON.parse(line) as { type: string; object: unknown };
    switch (type) {
      case "ADDED":
      case "MODIFIED":
      case "DELETED": {
        const decoded = resource.decode(object);
        yield { type, object: decoded, resourceVersion: decoded.metadata.resourceVersion ?? "" };
        break;
      }
      case "BOOKMARK":
        yield { type, resourceVersion: resource.decode(object).metadata.resourceVersion ?? "" };
        break;
      default: {
        const { code } = object as { code: number };
        if (code !== 410) throw fromStatus(code, object, call);
        yield { type: "EXPIRED" };
        return;
      }
    }
  }
}

async function* readLines(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
