import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Commands, createCommands } from "./command.ts";
import { createScreen, type Screen } from "./screen.ts";
import { createValues, type Values } from "./values.ts";

/** Where the demo plays: a home of its own, so that nothing of the user's is read or changed. */
export interface Stage {
  readonly screen: Screen;
  readonly commands: Commands;
  readonly values: Values;
  /** The server's data directory. */
  readonly store: string;
  /** Writes a file into the home, `~` of the commands. */
  write(name: string, content: Uint8Array | string): Promise<void>;
  /** Removes the home. */
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const home = await mkdtemp(join(tmpdir(), "flyte-secrets-demo-"));
  const store = join(home, "store");
  return {
    screen: createScreen(process.stdout),
    commands: createCommands({ PATH: process.env.PATH ?? "", HOME: home, SECRET_STORE_PATH: store, NO_COLOR: "1" }),
    values: createValues(),
    store,
    write: (name, content) => writeFile(join(home, name), content, { mode: 0o600 }),
    close: () => rm(home, { recursive: true, force: true }),
  };
}
