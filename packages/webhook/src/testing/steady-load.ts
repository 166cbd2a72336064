import { Agent } from "node:https";
import { podReview, taskPod } from "./pod-review.ts";
import { send, type Target } from "./post-review.ts";

/** What became of a load. */
export interface LoadResult {
  /** Answers that let a pod in, by target. */
  readonly admitted: ReadonlyMap<Target, number>;
  /** Everything else, as text. */
  readonly failures: readonly string[];
}

/**
 * Sends reviews without a pause from `clients` keep-alive clients, until told to stop. Like a service in front of pods,
 * `choose` says where a new request goes; a connection that is refused before anything was sent is tried elsewhere, as
 * a service's client would, and nothing else is tried again.
 */
export function startLoad(clients: number, choose: () => Target): { stop(): Promise<LoadResult> } {
  const body = JSON.stringify(podReview(taskPod([])));
  const admitted = new Map<Target, number>();
  const failures: string[] = [];
  let stopping = false;
  const run = async (agent: Agent) => {
    while (!stopping) {
      const target = choose();
      try {
        const { status, text } = await send({ ...target, agent }, body);
        if (status === 200 && text.includes('"allowed":true')) admitted.set(target, (admitted.get(target) ?? 0) + 1);
        else failures.push(`${status} ${text}`);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code !== "ECONNREFUSED") failures.push(String(error));
      }
    }
    agent.destroy();
  };
  const running = Array.from({ length: clients }, () => run(new Agent({ keepAlive: true, maxSockets: 1 })));
  return {
    async stop() {
      stopping = true;
      await Promise.all(running);
      return { admitted, failures };
    },
  };
}
