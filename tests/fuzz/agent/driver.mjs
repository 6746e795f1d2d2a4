// A fuzzer for JavaScript: bytes are changed at random, and what reaches code that nothing has reached before is kept and changed further (V8's precise
// coverage, by its inspector). A seed names a whole run of it, so what it finds can be found again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import path from 'node:path';

const kBatch = 16;  // inputs between two looks at the coverage
const kMostBytes = 16_384;
const kSlowMs = 2000;  // of one input, on a busy machine

// mulberry32 (Tommy Ettinger, public domain)
function randomOf(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function mutator(random, words) {
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const put = (bytes, at, more, cut = 0) => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + cut)]);
  const kinds = [
    (b) => put(b, below(b.length + 1), Buffer.from([below(256)])),
    (b) => put(b, below(b.length + 1), Buffer.from(pick(words))),
    (b) => put(b, below(b.length + 1), Buffer.from(pick(words)), below(8)),
    (b) => put(b, below(b.length + 1), Buffer.alloc(0), 1 + below(Math.max(1, b.length / 4))),
    (b) => put(b, below(b.length + 1), Buffer.from([pick([0, 9, 10, 13, 34, 36, 37, 39, 40, 41, 44, 46, 47, 58, 91, 92, 93, 123, 125, 127, 128, 255])]), 1),
    (b) => {
      const from = below(b.length);
      const part = b.subarray(from, from + 1 + below(64));
      return put(b, below(b.length + 1), Buffer.concat(Array.from({ length: 1 + below(random() < 0.05 ? 200 : 4) }, () => part)));
    },
    (b, all) => {
      const other = pick(all);
      const from = below(other.length);
      return put(b, below(b.length + 1), other.subarray(from, from + 1 + below(other.length)), below(32));
    },
    (b) => Buffer.from(b.toString('latin1').replace(/\d+/g, (n) => (random() < 0.3 ? pick(['0', '-1', '1e999', '4294967296', '99999999999999999999', String(Number(n) + 1)]) : n)), 'latin1'),
  ];
  return (bytes, all) => {
    let out = bytes;
    for (let n = 1 + below(random() < 0.2 ? 12 : 3); n > 0; n--) out = pick(kinds)(out, all);
    return out.subarray(0, kMostBytes);
  };
}

// From here on, so before what is fuzzed is loaded: only what is compiled later is counted by its blocks.
function startCoverage() {
  const session = new Session();
  session.connect();
  const ask = (method, params) => {
    let given;
    session.post(method, params, (error, result) => {
      if (error) throw new Error(error.message);
      given = result;
    });
    return given;
  };
  ask('Profiler.enable');
  ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return () => ask('Profiler.takePreciseCoverage').result;
}
const takeCoverage = startCoverage();

// Gives a function that says how many blocks were reached since it was last asked that never were before.
function coverage(isWanted) {
  const seen = new Set();
  return () => {
    const before = seen.size;
    for (const { url, functions } of takeCoverage()) {
      if (!isWanted(url)) continue;
      for (const { ranges } of functions) for (const { startOffset, endOffset, count } of ranges) if (count > 0) seen.add(`${url} ${startOffset} ${endOffset}`);
    }
    return seen.size - before;
  };
}

// `run(bytes)` throws, or gives a promise that rejects, for what must not be. Resolves to what was done: {name, runs, corpus, blocks, ms}.
export async function fuzz({ name, run, words, seeds, sources, seconds, seed, keep }) {
  const random = randomOf(seed ^ createHash('sha1').update(name).digest().readUInt32LE());
  const corpus = readdirSync(seeds).map((file) => readFileSync(path.join(seeds, file)));
  if (existsSync(keep)) corpus.push(...readdirSync(keep).map((file) => readFileSync(path.join(keep, file))));
  const mutate = mutator(random, words);
  const look = coverage((url) => sources.some((source) => url.includes(source)));
  const begin = performance.now();
  const isOver = () => performance.now() - begin > seconds * 1000;
  let runs = 0;
  let blocks = 0;
  const attempt = async (bytes) => {
    runs++;
    const from = performance.now();
    try {
      await run(bytes);
      if (performance.now() - from > kSlowMs) throw new Error(`it took ${Math.round(performance.now() - from)} ms`);
    } catch (error) {
      mkdirSync(keep, { recursive: true });
      const file = `${keep}-found`;
      writeFileSync(file, bytes);
      throw new Error(`${name}, --seed ${seed}, run ${runs}: ${error?.stack ?? error}\nthe input, which is in ${file}:\n${JSON.stringify(bytes.toString('latin1').slice(0, 2000))}`);
    }
  };
  for (const bytes of corpus.slice()) await attempt(bytes);
  blocks += look();
  while (!isOver()) {
    const batch = Array.from({ length: kBatch }, () => mutate(corpus[Math.floor(random() ** 0.5 * corpus.length)], corpus));
    for (const bytes of batch) await attempt(bytes);
    const found = look();
    if (found === 0) continue;
    blocks += found;
    // One of them: all are kept, the corpus is small.
    corpus.push(...batch);
    mkdirSync(keep, { recursive: true });
    for (const bytes of batch) writeFileSync(path.join(keep, createHash('sha1').update(bytes).digest('hex')), bytes);
  }
  return { name, runs, corpus: corpus.length, blocks, ms: Math.round(performance.now() - begin) };
}
