import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";

/** A way to the API server that can be cut. */
export interface CuttableWay {
  /** Over this way. */
  readonly kubeconfig: string;
  /** Ends every connection and takes no new one. */
  cut(): void;
  restore(): void;
  /** Leaves the connections open on which nothing passes any more; new ones work. */
  freeze(): void;
  close(): Promise<void>;
}

/** Opens one on a free port, for whoever this kubeconfig file is of: an admin, if not told otherwise. */
export async function openCuttableWay(
  cluster: Cluster,
  directKubeconfig = cluster.adminKubeconfig,
): Promise<CuttableWay> {
  const target = new URL(cluster.url);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((inner) => {
    if (isCut) {
      inner.destroy();
      return;
    }
    const outer = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const kubeconfig = join(cluster.directory, `way-${port}.kubeconfig`);
  writeFileSync(
    kubeconfig,
    readFileSync(directKubeconfig, "utf8").replaceAll(cluster.url, `https://127.0.0.1:${port}`),
    { mode: 0o600 },
  );
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    kubeconfig,
    cut,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore() {
      isCut = false;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
