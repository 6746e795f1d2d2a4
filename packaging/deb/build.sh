#!/usr/bin/env bash
# packaging/deb/build.sh --arch amd64|arm64 --version V --binary FILE --notices FILE --out DIR [--run COMMAND]
# Makes vercel-sim_V_ARCH.deb of a static program: by hand with dpkg-deb, since there is nothing to compute (no Depends, no maintainer scripts).
# --run: how to run that program here (default: itself; qemu-aarch64-static for arm64), to ask it for its completions.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
run=()
while [ $# -gt 0 ]; do
  case "$1" in
    --arch) arch=$2 ;;
    --version) version=$2 ;;
    --binary) binary=$2 ;;
    --notices) notices=$2 ;;
    --out) out=$2 ;;
    --run) run=("$2") ;;
    *) echo "error: unknown argument $1" >&2; exit 64 ;;
  esac
  shift 2
done
: "${arch:?}" "${version:?}" "${binary:?}" "${notices:?}" "${out:?}"
maintainer=${VSIM_MAINTAINER:-vercel-sim contributors <vercel-sim@example.org>}
: "${SOURCE_DATE_EPOCH:=$(git -C "$source" log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
doc="$root/usr/share/doc/vercel-sim"
install -D -m 755 "$binary" "$root/usr/bin/vercel-sim"
mkdir -p "$doc"

if [ -e "$source/docs/man/vercel-sim.1" ]; then
  install -D -m 644 "$source/docs/man/vercel-sim.1" "$root/usr/share/man/man1/vercel-sim.1"
  gzip -9n "$root/usr/share/man/man1/vercel-sim.1"
fi
completion() {  # SHELL PATH
  mkdir -p "$(dirname "$root/$2")"
  "${run[@]}" "$binary" completion "$1" >"$root/$2" 2>/dev/null || rm "$root/$2"
}
completion bash usr/share/bash-completion/completions/vercel-sim
completion zsh usr/share/zsh/vendor-completions/_vercel-sim
completion fish usr/share/fish/vendor_completions.d/vercel-sim.fish
find "$root/usr/share" -type d -empty ! -path "$doc" -delete

{
  cat <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: vercel-sim
Comment: The program is statically linked; the licences of the libraries inside it are in NOTICES.md.gz beside this file.

Files: *
Copyright: the vercel-sim contributors
License: not-chosen-yet
 The project has not chosen a licence yet.
END
} >"$doc/copyright"
gzip -9nc "$notices" >"$doc/NOTICES.md.gz"
printf 'vercel-sim (%s) unstable; urgency=low\n\n  * Version %s; the history is in the repository.\n\n -- %s  %s\n' \
  "$version" "$version" "$maintainer" "$(date -uRd "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
mkdir -p "$root/usr/share/lintian/overrides"
cat >"$root/usr/share/lintian/overrides/vercel-sim" <<'END'
# On purpose: the same file runs on every distribution (docs/decisions/0006-static-binary.md in the sources).
vercel-sim: statically-linked-binary [usr/bin/vercel-sim]
vercel-sim: embedded-library *
# It never was in Debian: there is no bug to close.
vercel-sim: initial-upload-closes-no-bugs [usr/share/doc/vercel-sim/changelog.gz:1]
END
find "$root/usr/share" -type f -exec chmod 644 {} +

# Whose sources are inside, as Debian's policy asks of static programs.
built_using=$(for package in libc6-dev libstdc++-12-dev libssl-dev libboost1.81-dev libyaml-cpp-dev libfmt-dev libspdlog-dev; do
  dpkg-query -W -f='${source:Package} (= ${source:Version}), ' "$package"
done)
mkdir "$root/DEBIAN"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<END
Package: vercel-sim
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Suggests: nodejs (>= 20)
Built-Using: ${built_using%, }
Section: web
Priority: optional
Description: Vercel's limits in front of an unmodified next dev
 vercel-sim stands in front of a Next.js development server and does what
 Vercel's network would do: it cuts functions at the maximum duration of their
 plan, refuses WebSockets on serverless plans and bodies, URLs and headers that
 are too large, with Vercel's own error codes, and says which limit, why, and
 how to fix it.
END
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/vercel-sim_${version}_$arch.deb"
