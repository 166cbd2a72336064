/** Variables by which the loader, interpreters and shells locate code, or run additional code. */
const STEERING: ReadonlySet<string> = new Set([
  ...[
    "PATH",
    "IFS",
    "ENV",
    "BASH_ENV",
    "CDPATH",
    "GLOBIGNORE",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "ZDOTDIR",
  ],
  ...[
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONBREAKPOINT",
    "PYTHONINSPECT",
    "PYTHONPLATLIBDIR",
    "PYTHONUSERBASE",
  ],
  ...["PYTHONWARNINGS", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS"],
  ...[
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "PERLLIB",
    "RUBYLIB",
    "RUBYOPT",
    "GEM_HOME",
    "GEM_PATH",
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
  ],
  ...[
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "JAVA_HOME",
    "R_HOME",
    "R_PROFILE",
    "R_PROFILE_USER",
  ],
  ...[
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_PROXY_COMMAND",
  ],
  ...[
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "BROWSER",
    "SHELL",
    "LESSOPEN",
    "LESSCLOSE",
    "FCEDIT",
  ],
  ...[
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "TZDIR",
  ],
  ...["OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "HOME", "TMPDIR"],
]);
const STEERING_PREFIX = /^(?:LD_|DYLD_|GIT_CONFIG|BASH_FUNC_|NPM_CONFIG_|npm_config_)/;

/**
 * Whether programs and shells locate or choose the code that they run by this variable, such as `PATH`, `LD_PRELOAD` or
 * `PYTHONPATH`. Whoever controls its value can run code in these programs.
 */
export function isSteeringVariable(name: string): boolean {
  return STEERING.has(name) || STEERING_PREFIX.test(name);
}
