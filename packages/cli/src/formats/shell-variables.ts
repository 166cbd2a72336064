import { isSteeringVariable } from "@flyte-secrets/core";

/**
 * Variables that bash or dash keep to themselves, change, complain of or act on, besides those of {@link
 * isSteeringVariable}.
 */
const OWN: ReadonlySet<string> = new Set([
  ...[
    "_",
    "UID",
    "EUID",
    "PPID",
    "GROUPS",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "SHELLOPTS",
    "FUNCNAME",
    "FUNCNEST",
    "DIRSTACK",
    "PIPESTATUS",
  ],
  ...[
    "RANDOM",
    "SRANDOM",
    "SECONDS",
    "LINENO",
    "EPOCHSECONDS",
    "EPOCHREALTIME",
    "OPTIND",
    "OPTARG",
    "OPTERR",
    "REPLY",
    "MAPFILE",
  ],
  ...[
    "HISTCMD",
    "HISTCONTROL",
    "HISTFILE",
    "HISTFILESIZE",
    "HISTIGNORE",
    "HISTSIZE",
    "HISTTIMEFORMAT",
    "histchars",
    "auto_resume",
  ],
  ...[
    "MAIL",
    "MAILPATH",
    "MAILCHECK",
    "TMOUT",
    "TIMEFORMAT",
    "IGNOREEOF",
    "ignoreeof",
    "POSIXLY_CORRECT",
    "TERM",
    "LINES",
    "COLUMNS",
  ],
  ...[
    "LANG",
    "LANGUAGE",
    "COPROC",
    "CHILD_MAX",
    "EMACS",
    "EXECIGNORE",
    "FIGNORE",
    "HOSTFILE",
    "INPUTRC",
    "HOSTTYPE",
    "MACHTYPE",
    "OSTYPE",
  ],
]);
const OWN_PREFIX = /^(?:BASH|COMP_|COMPREPLY|READLINE_|LC_)/;

/** Why sourcing an assignment to this variable does more than to set it, or less; undefined when it doesn't. */
export function shellVariableFault(name: string): string | undefined {
  if (isSteeringVariable(name)) return "by which programs find or choose the code that they run";
  return OWN.has(name) || OWN_PREFIX.test(name) ? "which shells use themselves" : undefined;
}
