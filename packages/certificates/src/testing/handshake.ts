import { once } from "node:events";
import { connect, createServer } from "node:tls";
import type { ServingCertificate } from "../source.ts";

/** Serves with a certificate and connects as the API server would: the reason for refusal, or `trusted`. */
export async function handshake(
  { cert, key }: Pick<ServingCertificate, "cert" | "key">,
  { ca, servername }: { readonly ca: string; readonly servername: string },
): Promise<string> {
  const server = createServer({ cert, key }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const socket = connect({ host: "127.0.0.1", port, ca, servername });
    try {
      await once(socket, "secureConnect");
      return "trusted";
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : String(error);
    } finally {
      socket.destroy();
    }
  } finally {
    server.close();
  }
}
