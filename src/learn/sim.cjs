'use strict';
// One run of vercel-sim on a lesson's app: started with the events on its standard output, followed, stopped. The lessons use the program as anybody can.

const { spawn } = require('node:child_process');
const { StringDecoder } = require('node:string_decoder');
const { makeWatch } = require('./watch.cjs');

const kReadyWithin = 120_000;
const kStopWithin = 8_000;

class SimError extends Error {}

function argumentsOf(run) {
  const out = ['run', '--events', '-', '--port', '0', '--profile', run.profile, '--no-color'];
  for (const key of ['placement', 'isolation']) if (run[key]) out.push(`--${key}`, run[key]);
  if (run['time-scale']) out.push('--time-scale', `${run['time-scale']}x`);
  for (const [key, value] of Object.entries(run.set ?? {})) out.push('--set', `${key}=${value}`);
  return out;
}

// `cleanUp`: gets what ends the run, as soon as there is something to end.
async function startSim({ program, cwd, run, env, cleanUp }) {
  const log = [];
  const events = [];
  let isOver = false;
  const watch = makeWatch(() => isOver);
  // A session of its own: a Ctrl-C of the terminal is ours to pass on.
  const child = spawn(program, argumentsOf(run), {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, NEXT_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0' },
  });
  /** @type {Error | undefined} */
  let spawnError;
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve((spawnError = error)));
    child.once('close', resolve);
  });
  ended.then(() => {
    isOver = true;
    watch.tell();
  });
  const lines = (stream, take) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (bytes) => {
      const parts = (rest + decoder.write(bytes)).split('\n');
      rest = parts.pop();
      for (const line of parts) take(line);
    });
  };
  lines(child.stdout, (line) => {
    try {
      events.push(JSON.parse(line));
    } catch {
      return;  // a line that was cut as the program ended
    }
    watch.tell();
  });
  lines(child.stderr, (line) => {
    log.push(line);
    watch.tell();
  });

  // Resolves with what `probe(events)` says once it says something; undefined when `ms` have passed or the run is over.
  const until = (probe, ms) => watch.until(() => probe(events), ms);
  const signal = (name) => {
    try {
      process.kill(child.pid, name);
    } catch {}  // it is gone
  };
  const sim = {
    events,
    log,
    until,
    ended,
    isOver: () => isOver,
    // What stands behind # in the link of the live page.
    token: () => log.map((line) => /\/_vercel-sim\/#([0-9a-f]+)/.exec(line)?.[1]).find(Boolean) ?? '',
    stop: async () => {
      if (isOver || child.pid === undefined) return;
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), kStopWithin);
      await ended;
      clearTimeout(timer);
    },
  };
  cleanUp.push(sim.stop);
  const started = await until((all) => all.find((e) => e.t === 'run_started'), kReadyWithin);
  if (!started) {
    await sim.stop();
    const why = spawnError ? spawnError.message : log.filter((line) => line.trim()).slice(-15).join('\n') || 'it said nothing';
    throw new SimError(`vercel-sim could not start the lesson's app:\n${why}`);
  }
  sim.url = started.url;
  return sim;
}

module.exports = { startSim, SimError };
