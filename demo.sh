#!/usr/bin/env bash
# Installs what is missing, builds, and runs `vercel-sim run --profile hobby` in front of `next dev` on the example chat app.
# Arguments are passed on: ./demo.sh --profile hobby-fluid, ./demo.sh --port 4000
. "$(dirname "$0")/scripts/common.sh"

need_packages "${build_packages[@]}"
need_node
npm_ci fixtures/apps/chat
build build -DCMAKE_BUILD_TYPE=Release -DVSIM_TESTS=OFF -- vercel-sim

step "vercel-sim run --profile hobby, in front of next dev on fixtures/apps/chat"
port=3000 previous=
for argument in "$@"; do
  case "$argument" in --port=*) port=${argument#--port=} ;; esac
  [ "$previous" = --port ] && port=$argument
  previous=$argument
done
cd fixtures/apps/chat
# The last line comes when the program says that it is ready, and it stays the one to look at.
(
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null &&
      node -e "fetch('http://localhost:$port/_vercel-sim/health').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"; then
      printf '\nOpen http://localhost:%s in two tabs: the chat cannot connect its WebSocket. Then try http://localhost:%s/api/slow?ms=15000 (cut at 10 s). Ctrl-C ends it.\n' "$port" "$port"
      exit 0
    fi
    sleep 0.5
  done
) &
watcher=$!
status=0
"$root/build/vercel-sim" run --profile hobby "$@" || status=$?
kill "$watcher" 2>/dev/null || true
[ "$status" = 130 ] || exit "$status"
