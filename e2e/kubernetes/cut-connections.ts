import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { openForwarder } from "./forward-connections.ts";

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
  let isCut = false;
  const forwarder = await openForwarder(() =>
    isCut ? undefined : { port: Number(target.port), host: target.hostname },
  );
  const { port } = forwarder;
  const kubeconfig = join(cluster.directory, `way-${port}.kubeconfig`);
  writeFileSync(
    kubeconfig,
    readFileSync(directKubeconfig, "utf8").replaceAll(cluster.url, `https://127.0.0.1:${port}`),
    { mode: 0o600 },
  );
  const cut = () => {
    isCut = true;
    forwarder.cut();
  };
  return {
    kubeconfig,
    cut,
    freeze() {
      for (const socket of forwarder.sockets) socket.unpipe().pause();
    },
    restore() {
      isCut = false;
    },
    close: () => forwarder.close(),
  };
}
