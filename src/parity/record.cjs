'use strict';
// A capture: what one address answers to the probes.

const { ask: askOnce } = require('../learn/client.cjs');
const { plain } = require('../learn/others.cjs');
const { kLong, kRough, kShort } = require('./probes.cjs');

const kVersion = 1;
const kKept = 200_000;  // characters of a body
const kHost = /^[\w.[][\w.[\]:-]*$/;
const kDate = /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/;
const kBypass = 'x-vercel-protection-bypass';

class Unreachable extends Error {}

// {parity, recorded, host, region, probes: [{probe, rows, requests, answer | unknown}]}. `secret`: of Deployment Protection, sent and never kept.
// `tell`: of each probe that is over. Throws Unreachable where the app of probes does not answer.
async function record(url, { secret = undefined, now = new Date(), tell = (/** @type {string} */ _name) => {} } = {}) {
  const send = (path, options = {}) => askOnce(url, path, { ...options, most: kKept, headers: { ...options.headers, ...(secret && { [kBypass]: secret }) } });
  const region = await greet(url, send, secret);
  const run = async (probe) => {
    const requests = [];
    const ask = (path, options = {}) => {
      requests.push(inWords(path, options));
      return send(path, options);
    };
    const { unknown, ...answer } = await probe.does({ ask, host: new URL(url).host }).catch((error) => ({ unknown: `the probe failed: ${error.message}` }));
    tell(probe.name);
    const told = unknown ? { unknown } : { answer: JSON.parse(JSON.stringify(answer)) };
    return { probe: probe.name, rows: probe.rows, requests: [...new Set(requests)], ...told };
  };
  const inTurn = async (probes) => {
    const all = [];
    for (const probe of probes) all.push(await run(probe));
    return all;
  };
  const long = Promise.all(kLong.map(run));
  const short = await inTurn(kShort);
  const probes = [...(await long), ...short, ...(await inTurn(kRough))];
  const capture = { parity: kVersion, recorded: now.toISOString(), host: new URL(url).host, region, probes };
  return secret ? JSON.parse(JSON.stringify(capture).replaceAll(JSON.stringify(secret).slice(1, -1), '***')) : capture;
}

async function greet(url, send, secret) {
  const answer = await send('/api/parity', { deadline: 120_000 });
  if (answer.status === 200 && answer.text.includes('"parity":1')) return /([a-z]{3,4}\d)::?[a-z0-9]+-\d{13}-/.exec(answer.headers['x-vercel-id'] ?? '')?.[1];
  const said = answer.status ? `GET /api/parity is answered with ${answer.status}` : `GET /api/parity has no answer (${answer.ending})`;
  if (answer.status === 401 || answer.status === 302 || answer.status === 307)
    throw new Unreachable(`${url} is protected: ${said}${secret ? ', with VERCEL_AUTOMATION_BYPASS_SECRET' : ''}\n  fix: probe the address of production, or set VERCEL_AUTOMATION_BYPASS_SECRET to the project's (Settings, Deployment Protection)`);
  throw new Unreachable(`the app of probes is not at ${url}: ${said}\n  fix: deploy the folder parity/ of vercel-sim's repository, or run vercel-sim in front of it`);
}

function inWords(path, { method = 'GET', headers = {}, body = undefined }) {
  const target = path.length > 80 ? `${path.slice(0, 40)}… (${path.length} characters)` : path.replace(/\d{13}/, 'NOW');
  const sizes = Object.entries(headers).map(([name, value]) => (value.length > 80 ? `${name} (${value.length} characters)` : `${name}: ${value.replace(/[^ -~]/g, '?')}`));
  return `${method} ${target}${body ? ` (${body.length} bytes)` : ''}${sizes.length > 0 ? `; ${sizes.join('; ')}` : ''}`;
}

// What is wrong with a text that should be a capture; undefined: nothing.
function problemOf(capture) {
  if (capture === null || typeof capture !== 'object' || !Array.isArray(capture.probes)) return 'is no capture: expected what `vercel-sim parity record` wrote';
  if (capture.parity !== kVersion) return `is a capture of version ${plain(capture.parity)}; this vercel-sim compares version ${kVersion}: record it again`;
  if (typeof capture.host !== 'string' || typeof capture.recorded !== 'string') return 'is no capture: expected "host" and "recorded"';
  if (!kHost.test(capture.host) || !kDate.test(capture.recorded)) return 'is no capture: "host" is no host, or "recorded" no time';
  const isProbe = (one) => typeof one?.probe === 'string' && Array.isArray(one.rows) && (typeof one.unknown === 'string' || (one.answer !== null && typeof one.answer === 'object'));
  const wrong = capture.probes.findIndex((one) => !isProbe(one));
  return wrong < 0 ? undefined : `is no capture: probes[${wrong}] expects "probe", "rows", and "answer" or "unknown"`;
}

module.exports = { Unreachable, problemOf, record };
