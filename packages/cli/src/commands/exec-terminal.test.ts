import { CONTROL_C, runOnTerminal as runProgramOnTerminal, type TerminalStep } from "@flyte-secrets/testkit/terminal";
import { beforeEach, expect, it } from "vitest";
import { CLI } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const VALUE = "a-value-of-this-test";

beforeEach(() => at.keep({ "api-key": VALUE }));

function exec(script: string, steps: readonly TerminalStep[] = [], ...options: readonly string[]) {
  const args = ["exec", "-s", "api-key", ...options, "--", "sh", "-c", script];
  return runOnTerminal({ args, env: { ...at.env, TERM: "xterm" }, cwd: at.home, columns: 97 }, steps);
}

/** What a program can know of its terminal. */
const LOOK =
  'tty -s && [ -t 1 ] && [ -t 2 ] && stty size && test "$(ps -o tpgid= -p $$)" -eq $$ && echo controls > /dev/tty';

it("a masked program has a terminal of its own, of the same size, which it controls", async () => {
  const { exitCode, screen } = await exec(`${LOOK}; echo "$API_KEY" >&2; echo "$API_KEY" > /dev/tty; exit 3`);
  expect(screen).toBe("40 97\r\ncontrols\r\n***\r\n***\r\n");
  expect(exitCode).toBe(3);
});

it("what is typed reaches it, with the keys that are signals, and each once", async () => {
  const script =
    'trap "echo got" INT; echo ready; read -r a; echo "read $a"; until read -r b; do :; done; echo "then $b"';
  const { exitCode, screen } = await exec(script, [
    { after: "ready\r\n", type: "a line\r" },
    { after: "read a line\r\n", type: CONTROL_C },
    { after: "got\r\n", type: "another\r" },
  ]);
  expect(screen).toBe("ready\r\na line\r\nread a line\r\n^Cgot\r\nanother\r\nthen another\r\n");
  expect(exitCode).toBe(0);
});

it("Ctrl-C ends a program that does not catch it, as in a shell", async () => {
  const steps = [{ after: "ready\r\n", type: CONTROL_C }];
  for (const options of [[], ["--no-mask"]]) {
    expect(await exec("echo ready; exec sleep 1000", steps, ...options)).toEqual({
      exitCode: 130,
      screen: "ready\r\n^C",
    });
  }
});

it("a prompt that looks like the beginning of a value appears while the program waits, and the rest is masked", async () => {
  const script = 'stty -echo; printf a-val; read -r line; printf "%s" "ue-of-this-test $line"';
  const { screen } = await exec(script, [{ after: "a-val", type: "typed\r" }]);
  expect(screen).toBe("a-val*** typed");
});

it("all output arrives that a program writes before it ends", async () => {
  const { screen } = await exec("seq 1 20000");
  expect(screen).toBe(Array.from({ length: 20_000 }, (_, at) => `${at + 1}\r\n`).join(""));
});

it("the terminal is as before when it has ended, also after a SIGCONT", async () => {
  const compare = 'before=$(stty -g); "$@"; [ "$(stty -g)" = "$before" ] && echo same';
  const program = "kill -CONT $PPID; stty raw -echo; sleep 0.5";
  const exec = [process.execPath, CLI, "exec", "-s", "api-key", "--", "sh", "-c", program];
  const args = ["-c", compare, "sh", ...exec];
  expect(await runProgramOnTerminal({ file: "sh", args, env: at.env, cwd: at.home, steps: [] })).toEqual({
    exitCode: 0,
    screen: "same\r\n",
  });
});

it("an unmasked program has this terminal itself", async () => {
  const { exitCode, screen } = await exec(`tty -s && stty size && echo "$API_KEY" > /dev/tty`, [], "--no-mask");
  expect([exitCode, screen]).toEqual([0, `40 97\r\n${VALUE}\r\n`]);
});

it("--redact shows names on a terminal", async () => {
  const { screen } = await exec('echo "$API_KEY"; echo "to $API_KEY" >&2', [], "--redact");
  expect(screen).toBe("<secret api-key>\r\nto <secret api-key>\r\n");
});
