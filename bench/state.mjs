// What reading the memory of modules costs (src/agent/shared/module-state.cjs): CPU of an instance for each invocation, with the reader and without it, in one run
// on one generated app, the two asked in turns and in pairs.
//   node bench/state.mjs [--modules 500] [--rounds 150] [--seconds 120] [--fresh 3] [--check]
// The handler reaches a function of every module; all have constants, every tenth a Map of up to 16 entries, every 25th a counter and an instance of a class
// with such a Map. `of the reader` is measured around its calls, the difference around whole invocations. --check makes more than 5 ms the exit code 1. Needs the packages of tests/agent/next16.
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

process.env.AGENT_COMBO ??= '16-turbopack';
const { cleanUp } = await import('../tests/agent/harness.mjs');
const { startIsolated } = await import('../tests/agent/isolation.mjs');

const kMost = 5;  // ms of CPU an invocation
const option = (name, otherwise) => { const i = process.argv.indexOf(`--${name}`); return i < 0 ? otherwise : Number(process.argv[i + 1]); };
const modules = option('modules', 500);
const rounds = option('rounds', 150);
const seconds = option('seconds', 120);  // of pairs, at most
const fresh = option('fresh', 3);
const kWarmUp = 20;  // pairs
const kWide = 7;  // modules that each imports

function files() {
  const made = {};
  for (let i = 0; i < modules; i++) {
    const below = Array.from({ length: kWide }, (_, k) => kWide * i + k + 1).filter((one) => one < modules);
    const has = (part) => i % part === 0;
    made[`lib/bench/m${i}.js`] = `${below.map((one) => `import { visit as visit${one} } from './m${one}';\n`).join('')}
const kLimits = { most: ${i}, names: ['a', 'b', 'c'] };
${has(10) ? 'const seen = new Map();' : ''}
${has(25) ? 'let count = 0;' : ''}
${has(25) ? 'class Store { items = new Map(); put(key, what) { this.items.set(key, what); } }\nexport const store = new Store();' : ''}
function within(n) { return Math.min(n, kLimits.most); }
export function visit(key) {
  const n = Number(key.slice(1)) % 16;
  ${has(10) ? "seen.set('key ' + n, { key, at: n });" : ''}
  ${has(25) ? "count += 1; store.put('item ' + (count % 16), key);" : ''}
  return within(n) ${below.map((one) => `+ visit${one}(key)`).join(' ')};
}
`;
  }
  made['app/bench/route.js'] = `import { visit } from '../../lib/bench/m0';
export const dynamic = 'force-dynamic';
export function POST(request) {
  const { user, system } = process.cpuUsage();
  return Response.json({ count: visit(new URL(request.url).searchParams.get('key')), cpu: (user + system) / 1000, reader: { ...globalThis.readerCpu } });
}
`;
  return made;
}

// Loaded into an instance before all else: the reader with a meter around it, or none.
const kMeter = `const Module = require('node:module');
const load = Module._load;
const isOff = process.env.READER === 'off';
Module._load = function (request, ...rest) {
  if (/[\\/]parts\\.cjs$/.test(request)) return Module.createRequire(request.replace(/parts\\.cjs$/, 'instance/instance.cjs'));  // one by one, so that the reader's is seen
  const made = Reflect.apply(load, this, [request, ...rest]);
  if (!/module-state\\.cjs$/.test(request)) return made;
  return (sim) => {
    const real = made(sim);
    const spent = (globalThis.readerCpu = { prepareState: 0, stateBegins: 0, stateEnds: 0 });
    const metered = (name) => (...args) => {
      const from = process.cpuUsage();
      try {
        return real[name](...args);
      } finally {
        const { user, system } = process.cpuUsage(from);
        spent[name] += (user + system) / 1000;
      }
    };
    const none = { prepareState: () => [], stateBegins() {}, stateEnds() {}, watchBody: () => () => '' };
    return isOff ? { ...real, ...none } : { ...real, ...Object.fromEntries(Object.keys(spent).map((name) => [name, metered(name)])) };
  };
};
`;

const median = (xs) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)];
const p90 = (xs) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length * 0.9)];
const ms = (x) => `${x.toFixed(2)} ms`;

const fleet = await startIsolated({ files: files() });
let isOver = false;
try {
  const meter = join(fleet.world.folder, 'meter.cjs');
  writeFileSync(meter, kMeter);
  const spawn = (reader) => fleet.spawn({ NODE_OPTIONS: `--require=${meter}`, READER: reader });
  const ask = async (instance, n) => {
    const answer = await fleet.request(`/bench?key=k${n}`, { method: 'POST', body: '{"what":"a body"}', headers: { 'content-type': 'application/json' }, place: () => instance });
    await instance.done(answer.id);
    return JSON.parse(answer.text);
  };

  const first = [];
  console.error(`next dev is ready after ${Math.round(performance.now() / 1000)} s`);
  for (let i = 0; i < fresh; i++) {
    const one = await spawn('on');
    const { reader } = await ask(one, 0);
    first.push(reader.prepareState + reader.stateBegins);
    one.kill();
  }

  console.error(`first looks: ${first.map(ms).join(', ')}, after ${Math.round(performance.now() / 1000)} s`);
  const [on, off] = [await spawn('on'), await spawn('off')];
  const cpu = { on: [], off: [] };
  const ofReader = { before: [], after: [] };
  const last = {};
  const begun = performance.now();
  for (let n = 0; n < rounds + kWarmUp && performance.now() - begun < seconds * 1000; n++) {
    for (const [name, instance] of n % 2 ? [['on', on], ['off', off]] : [['off', off], ['on', on]]) {
      const said = await ask(instance, n);
      if (n >= kWarmUp) {  // they are warm
        cpu[name].push(said.cpu - last[name].cpu);
        if (name === 'on') {
          ofReader.before.push(said.reader.stateBegins - last.on.reader.stateBegins);
          ofReader.after.push(said.reader.stateEnds - last.on.reader.stateEnds);
        }
      }
      last[name] = said;
    }
  }
  if (![...first, ...ofReader.before, ...ofReader.after].every(Number.isFinite)) throw new Error('the reader was not metered');
  const differences = cpu.on.map((one, i) => one - cpu.off[i]);
  const reader = ofReader.before.map((one, i) => one + ofReader.after[i]);
  isOver = median(reader) > kMost || median(differences) > kMost;
  console.log(`${modules} modules, ${differences.length} pairs of invocations on warm instances, load ${loadavg()[0].toFixed(1)}`);
  console.log(`CPU of an invocation        with the reader ${ms(median(cpu.on))}, without ${ms(median(cpu.off))}; median of the differences ${ms(median(differences))}`);
  console.log(`of the reader               median ${ms(median(reader))} (p90 ${ms(p90(reader))}): ${ms(median(ofReader.before))} before the handler, ${ms(median(ofReader.after))} after the response`);
  console.log(`first look of an instance   median ${ms(median(first))} of ${fresh}: once, while an instance is warmed where that is ahead of its first request`);
  console.log(`at most ${kMost} ms an invocation: ${isOver ? 'no' : 'yes'}`);
} finally {
  await cleanUp();
}
process.exit(isOver && process.argv.includes('--check') ? 1 : 0);
