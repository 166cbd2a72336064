import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type ProgramResult, runProgram } from "../support/run-program.ts";
import { startProgram } from "../support/start-program.ts";
import { root } from "./page-blocks.ts";

/**
 * A terminal of somebody who follows a page: what one command changes of directory and variables counts for the next.
 */
export interface PageShell {
  readonly home: string;
  /** The directory that the shell is in. */
  directory(): string;
  run(script: string, input?: string): Promise<ProgramResult>;
  /** Starts what runs until Ctrl-C, and waits until it says that it is ready. */
  start(script: string, ready: RegExp): Promise<void>;
  close(): Promise<void>;
}

/** In a home of its own, with the command of this checkout on its PATH unless the page puts it there. */
export function openPageShell({ directory, bare = false }: { directory?: string; bare?: boolean } = {}): PageShell {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-page-"));
  const state = join(home, ".page-shell");
  mkdirSync(state);
  const [cwd, variables] = [join(state, "cwd"), join(state, "variables")];
  writeFileSync(cwd, directory ?? home);
  const path = bare ? [] : [join(root, "node_modules/.bin")];
  const env = {
    HOME: home,
    PATH: [...path, process.env.PATH].join(delimiter),
    NO_COLOR: "1",
    // A port that others have is no fault of the page.
    SECRET_SERVER_PORT: "0",
    ...npmSettings(),
  };
  const within = (script: string) =>
    `[ -f ${variables} ] && . ${variables}\ncd "$(cat ${cwd})" || exit 1\n` +
    `trap 'code=$?; export -p > ${variables}; pwd > ${cwd}; exit $code' EXIT\nset -ae\n${script}\n`;
  const running: { stop(): Promise<void> }[] = [];
  return {
    home,
    directory: () => readFileSync(cwd, "utf8").trim(),
    run: (script, input = "") => runProgram("bash", ["-c", within(script)], { env, cwd: home, input }),
    async start(script, ready) {
      // The shell gives its place to the program, which is then the one that is stopped.
      const file = join(state, `server-${running.length}.sh`);
      writeFileSync(file, `[ -f ${variables} ] && . ${variables}\ncd "$(cat ${cwd})"\nexec ${script}\n`);
      running.push(await startProgram("bash", [file], { ready, env }));
    },
    async close() {
      for (const program of running) await program.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Where npm finds its registry and its cache on this machine, whatever the home is. */
function npmSettings(): Record<string, string> {
  const found = Object.entries(process.env).filter(([name]) => /^npm_config_/i.test(name));
  const own = process.env.HOME ?? "";
  return {
    npm_config_cache: join(own, ".npm"),
    ...(existsSync(join(own, ".npmrc")) && { npm_config_userconfig: join(own, ".npmrc") }),
    ...Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  };
}

/** Whether bash can read a script; undefined when it can, else what it says. */
export async function syntaxFault(script: string): Promise<string | undefined> {
  const { exitCode, stderr } = await runProgram("bash", ["-n", "-c", script]);
  return exitCode === 0 ? undefined : stderr;
}
