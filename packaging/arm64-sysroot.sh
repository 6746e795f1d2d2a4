#!/usr/bin/env bash
# packaging/arm64-sysroot.sh DIR : unpacks Debian's arm64 development packages of our libraries into DIR, for cmake/aarch64-linux-gnu.cmake.
# With package lists of its own: no foreign architecture is added to this system, nothing is installed (libyaml-cpp-dev:arm64 could not be,
# beside the one for this machine), and no root is needed.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
# libc6-dev: the one of the cross compiler's package gets no security updates.
packages=(libc6-dev libboost1.81-dev libboost-system1.81-dev libboost-atomic1.81-dev libboost-filesystem1.81-dev libboost-container1.81-dev libboost-json1.81-dev
  libyaml-cpp-dev libfmt-dev libspdlog-dev libssl-dev)
stamp="$dir/.packages"
[ "$(cat "$stamp" 2>/dev/null)" = "${packages[*]}" ] && exit 0

apt="$dir/.apt"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
: >"$apt/status"
options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status"
  -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
# A source without arm64 may fail here; what matters is whether the packages are found.
apt-get "${options[@]}" update -qq >"$apt/update.log" 2>&1 || true
(cd "$apt/debs" && apt-get "${options[@]}" download -qq "${packages[@]/%/:arm64}" >"$apt/download.log" 2>&1) ||
  { cat "$apt/update.log" "$apt/download.log" >&2; echo "error: could not download the arm64 packages" >&2; exit 1; }
for deb in "$apt"/debs/*.deb; do dpkg-deb -x "$deb" "$dir"; done
rm -rf "$apt/debs" "$apt/lists"
printf '%s' "${packages[*]}" >"$stamp"
