#!/usr/bin/env bash
# Installs what is missing, builds, and runs `vercel-sim run --profile hobby` in front of `next dev` on the example chat app.
# Arguments are passed on: ./demo.sh --profile hobby-fluid, ./demo.sh --port 4000
. "$(dirname "$0")/scripts/common.sh"

need_packages "${build_packages[@]}"
need_node
npm_ci fixtures/apps/chat
build build -DCMAKE_BUILD_TYPE=Release -DVSIM_TESTS=OFF -- vercel-sim

step "vercel-sim run --profile hobby, in front of next dev on fixtures/apps/chat"
cd fixtures/apps/chat
export VERCEL_SIM_READY_HINT="Open {url} in two tabs: under \`next dev\` they chat, here the WebSocket is refused. Then try {url}/api/slow?ms=15000 (cut at 10 s). Ctrl-C ends it."
status=0
"$root/build/vercel-sim" run --profile hobby "$@" || status=$?
[ "$status" = 130 ] || exit "$status"
