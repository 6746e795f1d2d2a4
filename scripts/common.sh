# shellcheck shell=bash
# Shared by demo.sh and test.sh: says each step, installs what is missing on Debian (and its relatives), builds. Safe to run again.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

step() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
die() { printf '\nerror: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "'$*' needs root: run this as root or install sudo"; fi
}

# need_packages PACKAGE... : Debian packages that are not there yet
need_packages() {
  command -v dpkg-query >/dev/null || die "this script installs Debian packages; elsewhere install the equivalents of: $*"
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    step "Installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq || die "apt-get update failed (is the network there?)"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
      die "apt-get could not install: ${missing[*]}"
  fi
}

build_packages=(g++ cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libboost-filesystem1.81-dev libyaml-cpp-dev
  libfmt-dev libspdlog-dev libssl-dev)

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null || die "Node.js 20 or newer with npm is needed (https://nodejs.org/en/download)"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || die "Node.js 20 or newer is needed, this is $(node --version)"
}

# npm_ci DIR : install what the lock file names, unless that is what is there. `npm ci` refuses a lock that does not name the
# optional packages of every other system (rollup's, of vitest), which not every registry has; `npm install` follows it all the same.
npm_ci() {
  local stamp="$1/node_modules/.lock-copy"
  if ! cmp -s "$1/package-lock.json" "$stamp"; then
    step "Installing npm packages of $1"
    (cd "$1" && { npm ci --no-audit --no-fund --loglevel=silent || npm install --no-save --no-audit --no-fund --loglevel=error; }) ||
      die "the npm packages of $1 could not be installed"
    cp "$1/package-lock.json" "$stamp"
  fi
}

# One checkout may use what another one has compiled: ccache sees paths as below the root, and precompiled headers as what they are.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_ctime,include_file_mtime}

# build DIR [CMAKE OPTIONS...] -- [TARGETS...]
build() {
  local dir=$1; shift
  local options=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  step "Building $dir"
  mkdir -p "$dir"
  cmake -B "$dir" -G Ninja "${options[@]}" >"$dir/configure.log" 2>&1 || { cat "$dir/configure.log"; die "cmake could not configure $dir"; }
  cmake --build "$dir" ${1:+--target "$@"} || die "the build in $dir failed"
}
