#!/usr/bin/env bash
# Second step of action.yml: check, then test, in the project's folder; annotations on standard output, a summary of the job, the exit code as output.
# Inputs come in the environment, never as text of a script, so that nothing in them is run but VSIM_COMMAND, which is meant to be.
set -uo pipefail
checked=0 tested=0

summary() { printf '%s\n' "$@" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"; }
summary "### vercel-sim, profile \`$VSIM_PROFILE\`" ""

if [ "$VSIM_CHECK" = true ]; then
  vercel-sim check --profile "$VSIM_PROFILE" --format github || checked=$?
  # Once more for people.
  found=$(vercel-sim check --profile "$VSIM_PROFILE" --no-color 2>&1)
  if [ "$checked" = 0 ]; then
    open='<details>' verdict='no error found'
  else
    open='<details open>' verdict="exit code $checked"
  fi
  # A fence that no finding can end.
  summary "$open<summary>The sources: $verdict</summary>" "" '``````' "$found" '``````' '</details>' ""
fi

if [ -n "$VSIM_COMMAND" ]; then
  options=(--profile "$VSIM_PROFILE")
  # Annotations and its part of the summary are vercel-sim's own work, where the version has it.
  [[ $(vercel-sim help test) == *--github* ]] && options+=(--github)
  while IFS= read -r option; do
    [ -n "$option" ] && options+=("$option")
  done <<<"$VSIM_ARGS"
  vercel-sim test "${options[@]}" -- bash -c "$VSIM_COMMAND" || tested=$?
  case "$tested" in
    0) verdict='the command succeeded, and no limit struck that fails the run' ;;
    2) verdict='exit code 2: a limit struck, or the command ended with 2' ;;
    *) verdict="exit code $tested" ;;
  esac
  summary "The tests: $verdict." ""
fi

code=$tested
[ "$code" = 0 ] && code=$checked
echo "exit-code=$code" >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
