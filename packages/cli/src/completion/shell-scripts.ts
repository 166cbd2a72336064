/** The shells that `completion` writes a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * Returns the script by which a shell calls `flyte-secrets __complete` at each Tab. The output of that command has one
 * word a line, or the single line `:files` where the name of a file belongs. The script contains no options, so that it
 * is not outdated by updates.
 */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return BASH;
    case "zsh":
      return ZSH;
    case "fish":
      return FISH;
  }
}

const BASH = `_flyte_secrets() {
  local answer
  answer=$(flyte-secrets __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  if [ "$answer" = ":files" ]; then
    compopt -o default
    COMPREPLY=()
  else
    mapfile -t COMPREPLY <<< "$answer"
    [ -n "$answer" ] || COMPREPLY=()
  fi
}
complete -F _flyte_secrets flyte-secrets
`;

/** Zsh loads the file at the first Tab and runs it as the function of the file's name; sourced, it only defines. */
const ZSH = `#compdef flyte-secrets
_flyte-secrets() {
  local answer
  answer=$(flyte-secrets __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null) || return
  if [[ $answer == ":files" ]]; then
    _files
  elif [[ -n $answer ]]; then
    compadd -- "\${(@f)answer}"
  fi
}
if [[ $funcstack[1] == "_flyte-secrets" ]]; then
  _flyte-secrets
else
  compdef _flyte-secrets flyte-secrets
fi
`;

const FISH = `function __flyte_secrets_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l answer (flyte-secrets __complete -- $words[2..] 2>/dev/null)
  if test "$answer" = ":files"
    __fish_complete_path (commandline -ct)
  else
    for word in $answer
      echo $word
    end
  end
end
complete -c flyte-secrets -f -a '(__flyte_secrets_complete)'
`;
