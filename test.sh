#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. --full adds what is too long for CI: the whole Next matrix, soaks, long fuzzing.
. "$(dirname "$0")/scripts/common.sh"

full=
for argument in "$@"; do
  case "$argument" in
    --full) full=1 ;;
    *) die "unknown argument $argument (there is only --full)" ;;
  esac
done
[ -n "$full" ] && export VSIM_FULL=1

need_packages "${build_packages[@]}" catch2 clang libclang-rt-14-dev clang-format clang-tidy curl procps chromium \
  busybox-static codespell shellcheck libxml2-utils dpkg-dev ${full:+lintian}
need_node
npm_ci fixtures/apps/chat
npm_ci tests/lint
npm_ci tests/e2e
npm_ci tests/report
npm_ci tests/differential/minimatch
npm_ci tests/packaging
npm_ci tests/tools

step "Format"
git ls-files 'src/*.cpp' 'src/*.hpp' 'tests/*.cpp' 'tests/*.hpp' | xargs clang-format --dry-run --Werror || die "clang-format -i would change the files above"

step "Lint: JavaScript and its types, shell, spelling"
tests/lint/node_modules/.bin/eslint . || die "eslint found mistakes"
node scripts/check-types.mjs || die "tsc found mistakes"
node scripts/check-parts.mjs || die "a part of the agent takes what nobody gives, or a field has two owners"
git ls-files '*.sh' | xargs shellcheck -x -e SC1091,SC2015,SC2016,SC2034,SC2154 || die "shellcheck found mistakes"
# Seeds of fuzzers, recorded bytes and lock files are no text of ours.
git ls-files | grep -vE '/seeds/|/golden/|package-lock\.json$' | xargs codespell || die "codespell found misspelt words"

step "Lint: C++, $([ -n "$full" ] && echo "all of it" || echo "what was changed")"
scripts/tidy.sh ${full:+--full}

# Unit and integration tests and the fuzzers are of one sanitized build, by clang; end-to-end tests run on what people install: static, by g++
# (docs/decisions/0050-what-ci-builds-and-runs-at-once.md).
build build-asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DVSIM_SANITIZE=address,undefined -DVSIM_FUZZ=ON \
  -DVSIM_WERROR=ON
build build -DCMAKE_BUILD_TYPE=Release -DVSIM_WERROR=ON -DVSIM_TESTS=ON -DVSIM_STATIC=ON -- "$([ -n "$full" ] && echo all || echo vercel-sim)"

step "Fuzzing, $([ -n "$full" ] && echo "ten minutes" || echo "seven seconds") a target"
fuzz() {
  local name; name=$(basename "$1" _fuzz)
  local seeds=()
  [ -d "tests/fuzz/seeds/$name" ] && seeds=("tests/fuzz/seeds/$name")
  mkdir -p "build-asan/corpus/$name"
  ${fuzz_seed:+$fixed_addresses} "$1" ${fuzz_seed:+-seed="$fuzz_seed"} -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -print_final_stats=0 -verbosity=0 \
    "build-asan/corpus/$name" "${seeds[@]}" >"build-asan/$name.log" 2>&1 ||
    { tail -n 60 "build-asan/$name.log"; printf 'fuzzing %s found a failure\n' "$name"; return 1; }
  printf '%s: clean\n' "$name"
}
export -f fuzz
seconds=$([ -n "$full" ] && echo 600 || echo 7)
# Random only in --full. CI goes the same way each time, as far as its seconds reach: from one seed, from no corpus,
# with addresses that do not change. What a longer run of the same way has found nothing on, CI finds nothing on.
fuzz_seed=$([ -n "$full" ] || echo 1)
fixed_addresses=$(setarch -R true 2>/dev/null && echo "setarch -R" || true)
[ -z "$fuzz_seed" ] || rm -rf build-asan/corpus
export seconds fuzz_seed fixed_addresses
printf '%s\0' build-asan/*_fuzz | xargs -0 -n 1 -P 2 bash -c 'fuzz "$0"' || die "fuzzing found a failure"
node tests/fuzz/agent/run.mjs --seconds "$seconds" ${fuzz_seed:+--seed "$fuzz_seed"} --corpus build-asan/corpus || die "fuzzing the JavaScript found a failure"

step "Unit and integration tests, with AddressSanitizer and UndefinedBehaviorSanitizer"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
ctest --test-dir build-asan -L 'unit|integration' --output-on-failure --no-tests=error -j2 || die "unit or integration tests failed"
[ -z "$full" ] || ctest --test-dir build -L unit --output-on-failure --no-tests=error -j2 || die "unit tests failed where g++ compiled them"

step "End-to-end tests: real next dev, socket.io-client, ws, EventSource, Chromium"
ctest --test-dir build -L e2e --output-on-failure --no-tests=error -j2 || die "end-to-end tests failed"

packaging/package.sh --build-dir build --out build/dist ${full:+--arm64}
step "Packages: npm, Debian, the GitHub Action, the program in an empty root directory"
ctest --test-dir build -L packaging --output-on-failure --no-tests=error || die "tests of the packages failed"
