#!/usr/bin/env bash
# First step of action.yml: puts vercel-sim into the job's PATH. VSIM_VERSION is the input `version`.
set -euo pipefail
# The action and the program are one release: a tag such as "latest" would run whatever bears the name that day.
[ -n "$VSIM_VERSION" ] || VSIM_VERSION=$(sed -n 's/^project(vercel-sim VERSION \([0-9.]*\).*/\1/p' "$GITHUB_ACTION_PATH/CMakeLists.txt")
case "$VSIM_VERSION" in
  none)
    command -v vercel-sim >/dev/null || { echo "::error::vercel-sim is not in PATH, and version is none"; exit 64; }
    ;;
  *)
    # Not into the project: its lock file and node_modules stay as they are. Paths are paths of archives, anything else a version.
    case "$VSIM_VERSION" in
      *.tgz*) read -ra what <<<"$VSIM_VERSION" ;;
      *) what=("vercel-sim@$VSIM_VERSION") ;;
    esac
    dir="$RUNNER_TEMP/vercel-sim"
    mkdir -p "$dir"
    npm install --ignore-scripts --prefix "$dir" --no-save --no-audit --no-fund --loglevel=error "${what[@]}"
    export PATH="$dir/node_modules/.bin:$PATH"
    echo "$dir/node_modules/.bin" >>"$GITHUB_PATH"
    ;;
esac
vercel-sim --version
