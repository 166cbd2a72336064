import { spawnSync } from "node:child_process";
import { closeSync } from "node:fs";
import { createRequire } from "node:module";
import { ReadStream } from "node:tty";
import { hasSystemCode } from "@flyte-secrets/core";

/** A terminal of our own making: what a program writes to its slave is read here, and the other way round. */
export interface PseudoTerminal {
  /** The file descriptor for the program's standard streams. */
  readonly slave: number;
  /** What programs write to it; ends once nobody has the slave open any more. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Types on it: a Ctrl-C among it is a signal to the program. */
  type(keys: Uint8Array): void;
  /** Gives it another size, and tells the programs in it. */
  resize(size: TerminalSize): void;
  /** Closes the slave in this process. To be called when the program has it. */
  releaseSlave(): void;
  /** Ends the output; programs that still have it get SIGHUP. */
  close(): void;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The part of node-pty's binary that makes a terminal; `spawn` of the package starts a program in it, too. */
interface NativePty {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number };
  resize(master: number, columns: number, rows: number): void;
}

/** Undefined where the optional package `@lydell/node-pty` is not installed, or has nothing for this machine. */
export function openPseudoTerminal({ columns, rows }: TerminalSize): PseudoTerminal | undefined {
  const native = loadNativePty();
  if (native === undefined) return undefined;
  const { master: descriptor, slave } = native.open(columns, rows);
  const master = new ReadStream(descriptor);
  return {
    slave,
    output: readToEnd(master),
    type: (keys) => void master.write(keys),
    close: () => master.destroy(),
    resize(size) {
      // Else the descriptor may be another file's by now.
      if (!master.destroyed) native.resize(descriptor, size.columns, size.rows);
    },
    releaseSlave: () => closeSync(slave),
  };
}

async function* readToEnd(master: ReadStream): AsyncIterable<Uint8Array> {
  try {
    yield* master;
  } catch (error) {
    // How Linux reports that nobody has the slave open any more; everything has been read by then.
    if (!hasSystemCode(error, "EIO")) throw error;
  }
}

function loadNativePty(): NativePty | undefined {
  const name = "@lydell/node-pty";
  try {
    const ofPackage = createRequire(createRequire(import.meta.url).resolve(name));
    return ofPackage(`${name}-${process.platform}-${process.arch}/pty.node`) as NativePty; // It has no types.
  } catch (error) {
    if (hasSystemCode(error, "MODULE_NOT_FOUND")) return undefined;
    throw error;
  }
}

/**
 * Has this process's terminal, which is its standard input, hand on every key and every byte of output as it is. The
 * returned function restores what was before. Node's own raw mode changes line feeds of the output.
 */
export function setRawTerminal(): () => void {
  const [before = ""] = stty("-g");
  stty("raw", "-echo");
  return () => void stty(before);
}

function stty(...args: readonly string[]): readonly string[] {
  const { stdout } = spawnSync("stty", args, { stdio: ["inherit", "pipe", "ignore"], encoding: "utf8" });
  return (stdout ?? "").trim().split("\n");
}
