# Completion of trapline for bash, as printed by "trapline completion bash".
_trapline() {
  local choice
  COMPREPLY=()
  while IFS= read -r choice; do
    if [ "$choice" = :files ]; then
      compopt -o default
    else
      COMPREPLY+=("${choice%%$'\t'*}")
    fi
  done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _trapline trapline
