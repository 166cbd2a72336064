import { chownSync, mkdtempSync } from "node:fs";
import { join } from "node:path";

/** Somebody who types commands on a machine that has nothing of Flyte's in `/etc`. */
export interface MachineUser {
  readonly title: string;
  readonly uid: number;
  /**
   * Starts a program as this user: goes before it and its arguments, and becomes it.
   * The machine is a new one each time, with what it needs in `directory`; `prepare`
   * is shell code that its root runs before.
   */
  launcher(directory: string, prepare?: string): readonly string[];
}

/** Has no entry in `/etc/passwd`, and is not the one whom the files of others seem to belong to in a user namespace. */
const ORDINARY_UID = 4711;

// $1 is an empty directory. Changes in /etc end with the program.
const MACHINE = `mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" overlay /etc
rm -rf /etc/flyte
shift`;

/** Only root can become others, and have an `/etc` of its own: whoever else runs the tests is the user. */
export const MACHINE_USERS: readonly MachineUser[] =
  process.getuid?.() === 0
    ? [onNewMachine("an ordinary user", ORDINARY_UID), onNewMachine("root", 0)]
    : [{ title: "this user", uid: process.getuid?.() ?? 0, launcher: () => [] }];

function onNewMachine(title: string, uid: number): MachineUser {
  const become = uid === 0 ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
  return {
    title,
    uid,
    launcher(directory, prepare = "") {
      const own = mkdtempSync(join(directory, "machine-"));
      return [
        "unshare",
        "--mount",
        "--",
        "/bin/sh",
        "-ec",
        `${MACHINE}
${prepare}
exec "$@"`,
        "sh",
        own,
        ...become,
      ];
    },
  };
}

/** Makes files and directories those of a user, which only root can. */
export function giveTo({ uid }: MachineUser, paths: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) chownSync(path, uid, uid);
}
