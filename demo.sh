#!/usr/bin/env bash
# Installs what is missing, builds, and runs `vercel-sim run --profile hobby` in front of `next dev` on the example chat app. `hobby` is a
# project without Fluid compute, as those made before 23 April 2025 are by default; today's default is ./demo.sh --profile hobby-fluid
# Arguments are passed on: ./demo.sh --port 4000
. "$(dirname "$0")/scripts/common.sh"

need_packages "${build_packages[@]}"
need_node
npm_ci fixtures/apps/chat
build build -DCMAKE_BUILD_TYPE=Release -DVSIM_TESTS=OFF -- vercel-sim

case "$*" in
  *--profile*)
    step "vercel-sim run $*, in front of next dev on fixtures/apps/chat"
    hint="Open {url} in two tabs, and try {url}/api/slow?ms=15000. Ctrl-C ends it." ;;
  *)
    step "vercel-sim run --profile hobby, in front of next dev on fixtures/apps/chat"
    echo "hobby is a project without Fluid compute, made before 23 April 2025. Today's default: ./demo.sh --profile hobby-fluid"
    hint="Open {url} in two tabs: under \`next dev\` they chat, here the WebSocket is refused. Then try {url}/api/slow?ms=15000 (cut at 10 s). Ctrl-C ends it."
    set -- --profile hobby "$@" ;;
esac
cd fixtures/apps/chat
export VERCEL_SIM_READY_HINT="$hint"
status=0
"$root/build/vercel-sim" run "$@" || status=$?
[ "$status" = 130 ] || exit "$status"
