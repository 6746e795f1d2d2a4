'use strict';
// The agent: preloaded (`--require`) into the processes of an unmodified `next dev`. It works in one of them, the server, and there
//   - lets Next listen on a private unix socket while Next believes in the public port;
//   - tells vercel-sim which function a request was dispatched to, when it was compiled and when the user's own code began;
//   - takes our internal fields out of requests before anyone sees them, and writes the function into the response head;
//   - compiles routes ahead of their first request when it is asked to;
//   - scales timers of user code (VSIM_TIME_SCALE); ends the process when vercel-sim ends;
//   - where functions run in instances (VSIM_ISOLATION), answers with what is to be run instead of running it, and serves the instances.
// It decides nothing about limits. Whatever of Next it does not find, it reports and does without: it never throws into Next.
// The wire is docs/agent-protocol.md; what is known of Next is in src/agent/next/.

const kOwn = ['AGENT_SOCKET', 'APP_SOCKET', 'PUBLIC_PORT', 'TOKEN', 'NOTICE', 'TIME_SCALE', 'ISOLATION', 'MIDDLEWARE', 'RPC_SOCKET', 'AHEAD'];

// NODE_OPTIONS reaches the CLI, the server that it forks, jest and loader workers and worker threads. Only the server is ours.
const dist = process.env.VSIM_AGENT_SOCKET && require('../next/index.cjs').distOf(process.argv[1]);
if (dist && require('node:worker_threads').isMainThread) start();
else if (process.env.VSIM_AHEAD) beginAhead();

// In the command, which starts the server.
function beginAhead() {
  const { VSIM_AHEAD, VSIM_RPC_SOCKET } = process.env;
  const dist = require('../next/index.cjs').distOfCommand(process.argv[1]);
  if (!dist || !VSIM_RPC_SOCKET) return;
  try {
    const given = { ...process.env };
    for (const name of kOwn) delete given[`VSIM_${name}`];
    require('./ahead.cjs')({ pipe: VSIM_AHEAD, dist, rpcSocket: VSIM_RPC_SOCKET, words: process.argv.slice(2), given });
  } catch {
    // nobody listens: then it begins when the server has told
  }
}

function start() {
  const path = require('node:path');
  const { openControl } = require('../shared/control.cjs');
  const { createShared } = require('../shared/shared.cjs');
  const { createNext } = require('../next/index.cjs');

  const options = takeOptions();
  const control = openControl({
    socketPath: options.controlSocket,
    first: options.token,
    failed(error) {
      process.stderr.write(`vercel-sim: the agent cannot reach vercel-sim (${error.code ?? error.message}): no limits are enforced\n`);
    },
    // Nobody serves the public port any more. As Next likes it first (it removes its lock), then for certain.
    closed() {
      process.kill(process.pid, 'SIGTERM');
      setTimeout(() => process.exit(143), 350);
    },
    received(message) {
      if (message.t === 'compile') sim.precompile(message);
      if (message.t === 'policy') options.stopsMiddleware = stopsMiddleware(message.isolation);
    },
  });
  const next = createNext({ dist, role: 'dev' });
  const sim = createShared({ options, next, tell: control.tell, sayHello });
  // As instances have it, for places in sources.
  const dirOf = () => sim.server?.dir ?? process.cwd();
  sim.boot = {
    options: { get dir() { return dirOf(); } },
    config: { get distDir() { return path.relative(dirOf(), sim.server?.distDir ?? path.join(dirOf(), '.next')); } },
  };
  const parts = ['shared/invocation', 'shared/unseen', 'shared/modules', 'shared/statics', 'shared/timers', 'shared/compile', 'dev/precompile', 'shared/requests'];
  parts.push('dev/notice', 'shared/addresses', 'dev/listen', 'dev/router', 'shared/source-maps', 'shared/hanging', 'shared/connections', 'shared/edge-work', 'shared/edge-code');
  parts.push('dev/middleware', 'shared/handlers');
  if (options.rpcSocket) parts.push('dev/boot', 'dev/traced', 'dev/frozen', 'dev/bundler-host', 'dev/dispatch', 'dev/ask-middleware', 'shared/loaded');
  for (const part of parts) Object.assign(sim, require(`../${part}.cjs`)(sim));

  // Of middleware alone: functions that run here share all that they have.
  if (options.rpcSocket) sim.memory = require('../shared/module-state.cjs')(sim);

  const { guard } = sim;
  guard('listen', sim.hookListen);
  guard('modules', () =>
    sim.hookModules([
      ...sim.serverHooks,
      ...(sim.bootHooks ?? sim.staticHooks),
      ...sim.handlerHooks,
    ]),
  );
  guard('fetch', sim.hookFetch);
  if (options.rpcSocket) sim.hookLoaded();
  // What middleware leaves behind.
  guard('hanging', sim.hookHanging);
  sim.hookRequests();
  sim.provideMiddlewareContext();
  if (options.timeScale !== 1) guard('timers', sim.hookTimers);

  // Taken out of the environment, so that neither user code nor workers see it. The CLI keeps its copy: it starts the server again
  // when next.config changes.
  function takeOptions() {
    const env = process.env;
    const taken = {
      controlSocket: env.VSIM_AGENT_SOCKET,
      appSocket: env.VSIM_APP_SOCKET,
      publicPort: Number(env.VSIM_PUBLIC_PORT),
      token: env.VSIM_TOKEN ?? '',
      notice: env.VSIM_NOTICE === '1',
      timeScale: Number(env.VSIM_TIME_SCALE) > 0 ? Number(env.VSIM_TIME_SCALE) : 1,
      // Where instances are served; absent: functions run in this process.
      stopsMiddleware: stopsMiddleware(env.VSIM_ISOLATION),
      middleware: env.VSIM_MIDDLEWARE,  // how an instance of it is asked for: http, https, with ` nodejs` for that runtime alone; else it runs in this process
      rpcSocket: (env.VSIM_ISOLATION ?? 'none') === 'none' ? '' : env.VSIM_RPC_SOCKET ?? '',
    };
    for (const name of kOwn) delete env[`VSIM_${name}`];
    const ours = new RegExp(`(^|\\s)"?--require[= ]"?${__filename.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"?(?=\\s|$)`);
    if (env.NODE_OPTIONS) env.NODE_OPTIONS = env.NODE_OPTIONS.replace(ours, '').trim();
    return taken;
  }

  // Where the platform's middleware would be frozen after its answer.
  function stopsMiddleware(policy) {
    return policy === 'invocation' || policy === 'instance';
  }

  function isolation({ missing }) {
    return { ok: missing.size === 0, missing: [...missing], grouped: next.runsGroups() };
  }

  function sayHello() {
    sim.hello.said = true;
    sim.tell({
      t: 'hello',
      pid: sim.hello.pid,
      next: next.version,
      bundler: next.isTurbopack() ? 'turbopack' : 'webpack',
      missing: [...sim.missing],
      exec: process.execPath,
      ...(sim.hello.compile && { compile: true }),
      ...(sim.isolationState && { isolation: isolation(sim.isolationState) }),
    });
  }
}
