// `vercel-sim run` for a global set-up of Vitest, Playwright or anything else: started, ready, followed, stopped. See index.d.ts.
'use strict';

const {spawn} = require('node:child_process');
const {StringDecoder} = require('node:string_decoder');
const {CannotRun, findProgram} = require('./program.js');

const kStopWithin = 10_000;
const kLastLines = 20;

function argumentsOf({profile, set = {}, port = 0, args = [], command}) {
  const out = ['run', '--events', '-', '--no-color', '--port', String(port)];
  if (profile !== undefined) out.push('--profile', profile);
  for (const [key, value] of Object.entries(set)) out.push('--set', `${key}=${value}`);
  out.push(...args);
  if (command) out.push('--', ...command);
  return out;
}

function eachLine(stream, take) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (bytes) => {
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = lines.pop();
    for (const line of lines) take(line);
  });
}

// The seq of the newest event, from the run itself.
async function newestSeq(url) {
  const {get} = require(url.startsWith('https:') ? 'node:https' : 'node:http');
  const text = await new Promise((resolve, reject) => {
    // The certificate is one of the run's own.
    const request = get(`${url}/_vercel-sim/api/events?limit=1`, {agent: false, rejectUnauthorized: false}, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (data) => (body += data)).on('error', reject).on('end', () => resolve(body));
    });
    request.on('error', reject);
  });
  return JSON.parse(text).next;
}

async function start(options = {}) {
  const {cwd, env = {}, timeout = 120_000, program = findProgram()} = options;
  const events = [];
  const log = [];
  const looks = new Set();
  let over = null;
  let lost = 0;
  const child = spawn(program, argumentsOf(options), {cwd, env: {...process.env, ...env}, stdio: ['ignore', 'pipe', 'pipe']});
  const look = () => {
    for (const one of [...looks]) one();
  };
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({error}));
    child.once('close', (code, name) => resolve({code, signal: name}));
  }).then((end) => {
    over = end;
    look();
    return end;
  });
  eachLine(child.stdout, (line) => {
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      return;  // cut as the program ended
    }
    lost += event.seq - (events.at(-1)?.seq ?? 0) - 1;
    events.push(event);
    look();
  });
  eachLine(child.stderr, (line) => {
    log.push(line);
    if (log.length > kLastLines) log.shift();
  });
  const lastWords = () => log.filter((line) => line.trim()).join('\n');
  const until = (probe, ms, what) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(reject, new Error(`vercel-sim: not within ${ms} ms: ${what}\n${lastWords()}`)), ms);
    const finish = (settle, value) => {
      clearTimeout(timer);
      looks.delete(check);
      settle(value);
    };
    const check = () => {
      const found = probe();
      if (found) return finish(resolve, found);
      if (over?.error) return finish(reject, new CannotRun(`${program} does not start: ${over.error.message}`, 'install again'));
      if (over) finish(reject, new Error(`vercel-sim ended (${over.signal ?? over.code}): ${what}\n${lastWords()}`));
    };
    looks.add(check);
    check();
  });
  const kill = () => void child.kill('SIGTERM');
  process.once('exit', kill);
  ended.then(() => process.off('exit', kill));
  const stop = async () => {
    if (!over) kill();
    const timer = setTimeout(() => child.kill('SIGKILL'), kStopWithin);
    await ended;
    clearTimeout(timer);
  };

  let started;
  try {
    started = await until(() => events.find((event) => event.t === 'run_started'), timeout, 'the app is ready');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: started.url,
    events,
    stop,
    async verdicts() {
      if (!over) {
        const newest = await newestSeq(started.url);
        await until(() => events.at(-1).seq >= newest, timeout, `event ${newest}`);
      }
      if (lost > 0) throw new Error(`vercel-sim: ${lost} events are lost, since nobody read them in time: the verdicts are not complete`);
      return events.flatMap(({verdicts, ...event}) => (verdicts ?? []).map((verdict) => ({...verdict, event})));
    },
  };
}

exports.start = start;
exports.CannotRun = CannotRun;
