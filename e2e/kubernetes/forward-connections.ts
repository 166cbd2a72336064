import { connect, createServer, type Socket, type TcpNetConnectOpts } from "node:net";

/** Passes connections on, byte by byte. */
export interface Forwarder {
  readonly port: number;
  /** Both ends of all that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Ends them all; new ones are taken as before. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * Opens one on a free port of the loopback. Each connection goes where `choose` says then, and is reset when that is
 * nowhere.
 */
export async function openForwarder(choose: () => TcpNetConnectOpts | undefined): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const target = choose();
    if (target === undefined) {
      inner.resetAndDestroy();
      return;
    }
    const outer = connect(target);
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
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    sockets,
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
