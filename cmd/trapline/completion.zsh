#compdef trapline
# Completion of trapline for zsh, as printed by "trapline completion zsh".
_trapline() {
  local choice
  local -a choices
  while IFS= read -r choice; do
    if [[ $choice == :files ]]; then
      compset -P '*='
      _files
    else
      choices+=("${${choice//:/\\:}/$'\t'/:}")
    fi
  done < <("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#choices )) && _describe trapline choices
}
if [[ $funcstack[1] == _trapline ]]; then
  _trapline "$@"
else
  compdef _trapline trapline
fi
