import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import type { Cluster } from "../kubernetes/cluster.ts";

/** What the API server answers to whoever creates an object. */
export interface CreateAnswer {
  readonly status: number;
  /** The object, or a `Status` that says why there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever field they are about.
  readonly body: any;
}

const QUOTA_TIMED_OUT = "Internal error occurred: resource quota evaluation timed out";

/**
 * Creates objects as the admin, many at a time, and gives whatever the API server answers; asks again where it had no
 * time to look at a quota (ten seconds, which a busy machine takes), since then it hasn't decided.
 */
export interface ObjectCreator {
  create(path: string, object: object): Promise<CreateAnswer>;
  close(): void;
}

/** `path` is that of the collection, such as `/api/v1/namespaces/NAME/pods`, with its query. */
export function openObjectCreator({ url, ca, adminKubeconfig }: Cluster): ObjectCreator {
  const { token } = JSON.parse(readFileSync(adminKubeconfig, "utf8")).users[0].user;
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const send = (path: string, object: object) =>
    new Promise<CreateAnswer>((resolve, reject) => {
      const body = JSON.stringify(object);
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      };
      const sent = request(`${url}${path}`, { method: "POST", ca, agent, headers });
      sent.once("error", reject);
      sent.once("response", (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.once("error", reject);
        answer.once("end", () =>
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) }),
        );
      });
      sent.end(body);
    });
  return {
    async create(path, object) {
      let answer = await send(path, object);
      while (answer.status === 500 && answer.body.message === QUOTA_TIMED_OUT) answer = await send(path, object);
      return answer;
    },
    close: () => agent.destroy(),
  };
}
