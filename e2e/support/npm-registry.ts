import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { cacheDirectory } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

const VERSION = "6.10.4";
const folder = join(cacheDirectory, `verdaccio-${VERSION}`);

interface Verdaccio {
  runServer(config: object): Promise<Server>;
}

/** Installs Verdaccio, a registry for npm packages, into the user's cache unless it is there. */
export function requireNpmRegistry(): Requirement {
  if (existsSync(folder)) return { missing: false };
  const half = `${folder}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  // One of its dependencies is named by a tag, which a mirror of the registry need not have.
  const manifest = { private: true, dependencies: { verdaccio: VERSION }, overrides: { "node-fetch": "2.7.0" } };
  writeFileSync(join(half, "package.json"), JSON.stringify(manifest));
  try {
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: half, stdio: "pipe" });
    renameSync(half, folder);
  } catch (error) {
    rmSync(half, { recursive: true });
    const reason = error instanceof Error ? error.message : String(error);
    return {
      missing: true,
      what: `Verdaccio (${reason})`,
      enable: `npm install --prefix ${folder} verdaccio@${VERSION}`,
    };
  }
  return { missing: false };
}

export interface NpmRegistry {
  readonly url: string;
  /** Options by which npm takes our packages from this registry and nowhere else, and may publish there. */
  readonly options: readonly string[];
  close(): Promise<void>;
}

/** Starts a registry on a free port of this machine that keeps what is published to it below `directory`. */
export async function startNpmRegistry(directory: string): Promise<NpmRegistry> {
  const verdaccio: Verdaccio = createRequire(join(folder, "package.json"))("verdaccio");
  const server = await verdaccio.runServer({
    self_path: join(directory, "config.yaml"),
    storage: join(directory, "storage"),
    // Anybody on this machine may publish, and nothing is asked of another registry.
    packages: { "@flyte-secrets/*": { access: "$all", publish: "$all", unpublish: "$all" } },
    uplinks: {},
    log: { type: "stdout", format: "json", level: "error" },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    options: [`--@flyte-secrets:registry=${url}`, `--//127.0.0.1:${port}/:_authToken=nobody`],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
