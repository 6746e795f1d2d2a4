#!/usr/bin/env bash
# First step of action.yml: puts vercel-sim into the job's PATH. VSIM_VERSION is the input `version`.
set -euo pipefail
case "$VSIM_VERSION" in
  none)
    command -v vercel-sim >/dev/null || { echo "::error::vercel-sim is not in PATH, and version is none: install it in a step before, or name packed archives"; exit 64; }
    ;;
  *)
    # Nothing by its name: as long as it is nobody's on npm, whoever takes it would be run here. Each word is a file, so that npm takes it for one.
    read -ra what <<<"$VSIM_VERSION"
    [ ${#what[@]} -gt 0 ] || what=("")
    for i in "${!what[@]}"; do
      case "${what[i]}" in
        *.tgz) what[i]=$(realpath -e -- "${what[i]}") || { echo "::error::version names an archive that is not there"; exit 64; } ;;
        *) echo "::error::version expects paths of packed archives (vercel-sim-….tgz) or none: vercel-sim is not published on npm"; exit 64 ;;
      esac
    done
    # Not into the project: its lock file and node_modules stay as they are.
    dir="$RUNNER_TEMP/vercel-sim"
    mkdir -p "$dir"
    npm install --ignore-scripts --prefix "$dir" --no-save --no-audit --no-fund --loglevel=error "${what[@]}"
    export PATH="$dir/node_modules/.bin:$PATH"
    echo "$dir/node_modules/.bin" >>"$GITHUB_PATH"
    ;;
esac
vercel-sim --version
