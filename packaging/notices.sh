#!/usr/bin/env bash
# packaging/notices.sh BUILD_DIR : prints the licences of everything that a static build has inside, as Debian and npm ship them.
# Boost is left out: its licence asks for no notice in programs, and Debian's file about it has 50,000 lines.
set -euo pipefail
build=$1
cat <<'END'
# What is inside vercel-sim

The program holds the libraries below and Boost 1.81 (Boost Software License 1.0, https://www.boost.org/LICENSE_1_0.txt). Their code is Debian 12's,
unchanged (`apt-get source`), and npm's for tree-sitter and its grammars; with it and the sources of this project the program can be linked again.
END
for package in libc6-dev libstdc++-12-dev libssl-dev libyaml-cpp-dev libfmt-dev libspdlog-dev; do
  printf '\n\n## %s (%s)\n\n' "$package" "$(dpkg-query -W -f='${source:Package} ${Version}' "$package")"
  cat "/usr/share/doc/$package/copyright"
done
for part in "$build"/_deps/tree-sitter-[0-9]* "$build"/_deps/tree-sitter-typescript-*; do
  printf '\n\n## %s (npm)\n\n' "$(basename "$part")"
  cat "$part/package/LICENSE"
done
cat "$build"/_deps/tree-sitter-[0-9]*/package/vendor/tree-sitter/lib/src/unicode/LICENSE
# What Debian's files above only point to.
for licence in Apache-2.0 LGPL-2.1 GPL-3; do
  printf '\n\n## %s\n\n' "$licence"
  cat "/usr/share/common-licenses/$licence"
done
