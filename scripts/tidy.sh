#!/usr/bin/env bash
# clang-tidy (.clang-tidy) over src: scripts/tidy.sh looks at the files that were changed since this branch
# left main (on main: by the last commit), at most twenty of them and saying so; scripts/tidy.sh --full at all.
. "$(dirname "$0")/common.sh"

most=20

sources() { # of the names that are read; a header stands for the source of its name
  local name
  while read -r name; do
    name=${name%.hpp}; name=${name%.cpp}.cpp
    if [ -f "$name" ]; then printf '%s\n' "$name"; fi
  done | sort -u
}

if [ "${1:-}" = --full ]; then
  mapfile -t files < <(git ls-files 'src/*.cpp')
else
  base=$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || true)
  [ -n "$base" ] && [ "$base" != "$(git rev-parse HEAD)" ] || base=HEAD~1
  mapfile -t files < <(git diff --name-only "$base" -- 'src/*.cpp' 'src/*.hpp' | sources)
  if [ "${#files[@]}" -gt "$most" ]; then
    printf 'clang-tidy: the first %s of %s changed files; --full looks at all\n' "$most" "${#files[@]}"
    files=("${files[@]:0:most}")
  fi
fi
if [ "${#files[@]}" -eq 0 ]; then
  printf 'clang-tidy: no file to look at\n'
  exit 0
fi

cmake -B build-tidy -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DVSIM_TESTS=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >build-tidy.log 2>&1 ||
  { cat build-tidy.log; die "cmake could not configure build-tidy"; }
rm build-tidy.log
printf '%s\n' "${files[@]}" | xargs -n 4 -P 2 clang-tidy -p build-tidy --quiet 2>/dev/null || die "clang-tidy found mistakes"
printf 'clang-tidy: %s files are clean\n' "${#files[@]}"
