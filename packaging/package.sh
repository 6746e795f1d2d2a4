#!/usr/bin/env bash
# packaging/package.sh [--out DIR] [--build-dir DIR] [--arm64]
# Builds the static program and makes of it: DIR/vercel-sim-linux-x64 (stripped), the npm packages and the .deb; --arm64: also those for arm64,
# cross-compiled. An existing build directory is used again (default: build, which ./test.sh makes). Publishes nothing.
. "$(dirname "$0")/../scripts/common.sh"

out=dist build_dir=build arm64=
while [ $# -gt 0 ]; do
  case "$1" in
    --out) out=$2; shift ;;
    --build-dir) build_dir=$2; shift ;;
    --arm64) arm64=1 ;;
    *) die "unknown argument $1" ;;
  esac
  shift
done
need_packages "${build_packages[@]}" binutils dpkg-dev
need_node
[ -n "$arm64" ] && need_packages g++-12-aarch64-linux-gnu qemu-user-static
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out"/*.tgz "$out"/*.deb

build "$build_dir" -DCMAKE_BUILD_TYPE=Release -DVSIM_STATIC=ON -- vercel-sim
strip -o "$out/vercel-sim-linux-x64" "$build_dir/vercel-sim"
version=$("$out/vercel-sim-linux-x64" --version | cut -d' ' -f2)
packaging/notices.sh "$build_dir" >"$out/NOTICES.md"
binaries=(--binary "linux-x64=$out/vercel-sim-linux-x64")

if [ -n "$arm64" ]; then
  step "Unpacking the arm64 libraries"
  packaging/arm64-sysroot.sh build-arm64-sysroot
  build build-arm64 --toolchain cmake/aarch64-linux-gnu.cmake -DVSIM_SYSROOT="$root/build-arm64-sysroot" -DCMAKE_BUILD_TYPE=Release \
    -DVSIM_STATIC=ON -DVSIM_TESTS=OFF -- vercel-sim
  aarch64-linux-gnu-strip -o "$out/vercel-sim-linux-arm64" build-arm64/vercel-sim
  binaries+=(--binary "linux-arm64=$out/vercel-sim-linux-arm64")
fi

step "npm packages"
node packaging/npm/build.mjs --out "$out" --version "$version" --notices "$out/NOTICES.md" "${binaries[@]}"
step "Debian packages"
packaging/deb/build.sh --arch amd64 --version "$version" --binary "$out/vercel-sim-linux-x64" --notices "$out/NOTICES.md" --out "$out"
[ -z "$arm64" ] ||
  packaging/deb/build.sh --arch arm64 --version "$version" --binary "$out/vercel-sim-linux-arm64" --notices "$out/NOTICES.md" --out "$out" --run qemu-aarch64-static
