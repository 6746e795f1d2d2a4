#!/usr/bin/env node
// Conformance of a reverse proxy with RFC 9110 and 9112, case by case, with raw sockets on both sides.
//   node run.mjs --proxy vercel-sim|nginx|haproxy [--bin PATH] [--grep TEXT] [--level MUST|SHOULD] [--jobs N] [--json] [--verbose]
//                [--min-must-rate 0.99] [--list]
//   TARGET=host:port ORIGIN_PORT=n node run.mjs        a proxy that already runs and forwards to 127.0.0.1:n
// Exit code 1: a security case failed, or the rate of MUST cases is below --min-must-rate; 70: the harness itself.
import {parseArgs} from 'node:util';
import {RawClient} from './lib/client.mjs';
import {judge} from './lib/expect.mjs';
import {Origin} from './lib/origin.mjs';
import {kProxies} from './lib/proxies.mjs';
import {show} from './lib/wire.mjs';
import {kCases} from './cases/index.mjs';

const {values: options} = parseArgs({
  options: {
    proxy: {type: 'string', default: 'vercel-sim'},
    bin: {type: 'string', default: process.env.VSIM_BIN ?? 'build/vercel-sim'},
    grep: {type: 'string'},
    level: {type: 'string'},
    jobs: {type: 'string', default: '12'},
    json: {type: 'boolean', default: false},
    verbose: {type: 'boolean', default: false},
    list: {type: 'boolean', default: false},
    'min-must-rate': {type: 'string', default: '0.99'},
  },
});

let lastToken = 100;

function fill(step, token) {
  return typeof step === 'string' ? step.replaceAll('{p}', `/~${token}~`).replaceAll('{t}', `~${token}~`) : step;
}
function fillScript(script, token) {
  if (typeof script === 'string') return fill(script, token);
  if (Array.isArray(script)) return script.map((s) => fill(s, token));
  if (script?.each) return {each: script.each.map((s) => fillScript(s, token))};
  return script;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function runCase(test, target, origin) {
  const token = ++lastToken;
  const record = origin.expect(token, fillScript(test.origin, token));
  const client = new RawClient(target.port, {host: target.host, methods: test.methods, deadline: test.deadline ?? 5000});
  const sends = (Array.isArray(test.send) ? test.send : [test.send]).map((s) => fill(s, token));
  await client.play(sends, {record, token, target});
  const want = test.responses ?? 1;
  if (test.until) await client.until(() => client.closed || test.until(client, record));
  else if (want > 0) await client.until(() => client.closed || client.complete() >= want || client.parsed().rest || client.responses.some((r) => r.error && r.head));
  // What must not come gets the time to come; what must end gets the time to end.
  if (test.ends) await client.until(() => client.closed, test.ends === true ? 1500 : test.ends);
  else await sleep(test.settle ?? 40);
  const {responses, rest, dangling} = client.parsed();
  const result = {text: client.text, closed: client.closed, responses, rest, dangling, origin: record.requests, garbage: record.garbage, error: client.error, token};
  if (test.closeFirst) {
    client.destroy();
    await sleep(test.closeFirst);
  }
  let problem;
  try {
    problem = judge(test.expect, result);
  } catch (error) {
    problem = `check threw: ${error.stack}`;
  }
  const scriptError = record.requests.find((e) => e.scriptError)?.scriptError;
  if (!problem && scriptError) problem = `origin script: ${scriptError.stack}`;
  client.destroy();
  const details = problem && {
    sent: sends.map((s) => (typeof s === 'string' ? show(s, 500) : typeof s === 'function' ? '<function>' : JSON.stringify(s))),
    originSaw: record.requests.map((e) => show(e.head.raw + e.rawBody, 600) + (e.bodyDone ? '' : ' <body not whole>')),
    garbage: record.garbage.map((g) => show(g, 200)),
    clientSaw: show(client.text, 600),
    closed: result.closed,
  };
  // Exchanges that a script holds open end here, so that no connection of this case serves another.
  for (const e of record.requests) if (!e.answered) e.socket.destroy();
  return {id: test.id, level: test.level, security: test.security, rfc: test.rfc, what: test.what, problem, details};
}

async function main() {
  let cases = kCases;
  if (options.grep) cases = cases.filter((c) => c.id.includes(options.grep) || c.what.includes(options.grep));
  if (options.level) cases = cases.filter((c) => c.level === options.level);
  if (options.list) {
    for (const c of cases) console.log(`${c.level.padEnd(6)} ${c.security ? 'S' : ' '} ${c.id.padEnd(44)} ${c.rfc.padEnd(12)} ${c.what}`);
    console.log(`${cases.length} cases, ${cases.filter((c) => c.level === 'MUST').length} MUST`);
    return 0;
  }
  const origin = new Origin();
  const originPort = await origin.listen(Number(process.env.ORIGIN_PORT ?? 0));
  let target, proxy;
  if (process.env.TARGET) {
    const [host, port] = process.env.TARGET.split(':');
    target = {host, port: Number(port)};
  } else {
    proxy = await kProxies[options.proxy](originPort, {bin: options.bin});
    target = {host: '127.0.0.1', port: proxy.port};
  }
  const started = Date.now();
  const results = [];
  const queue = cases.filter((c) => !c.alone);
  const work = async () => {
    for (let test; (test = queue.shift());) results.push(await runCase(test, target, origin));
  };
  await Promise.all(Array.from({length: Number(options.jobs)}, work));
  for (const test of cases.filter((c) => c.alone)) results.push(await runCase(test, target, origin));
  const died = proxy && (proxy.child.exitCode !== null || proxy.child.signalCode !== null);
  await proxy?.stop();
  await origin.close();
  return report(results, origin, died, Date.now() - started, proxy);
}

function report(results, origin, died, ms, proxy) {
  const failed = results.filter((r) => r.problem);
  const score = {};
  for (const level of ['MUST', 'SHOULD', 'MAY']) {
    const of = results.filter((r) => r.level === level);
    if (of.length) score[level] = {passed: of.filter((r) => !r.problem).length, of: of.length};
  }
  const security = results.filter((r) => r.security);
  score.security = {passed: security.filter((r) => !r.problem).length, of: security.length};
  const strangers = origin.strangers.map((e) => e.head.raw);
  if (options.json) {
    console.log(JSON.stringify({score, ms, died, strangers, failures: failed}, null, 1));
  } else {
    failed.sort((a, b) => Number(b.security) - Number(a.security) || a.level.localeCompare(b.level) || a.id.localeCompare(b.id));
    for (const f of failed) {
      console.log(`FAIL ${f.level}${f.security ? ' SECURITY' : ''} ${f.id} (RFC ${f.rfc}): ${f.what}\n     ${f.problem}`);
      if (!options.verbose) continue;
      for (const s of f.details.sent) console.log(`     sent    ${s}`);
      for (const s of f.details.originSaw) console.log(`     origin  ${s}`);
      for (const s of f.details.garbage) console.log(`     stray   ${s}`);
      console.log(`     client  ${f.details.clientSaw} [${f.details.closed ?? 'open'}]`);
    }
    for (const s of strangers) console.log(`NOTE the origin saw a request of no case: ${show(s, 200)}`);
    if (died) console.log(`FAIL the proxy died: ${proxy.child.said.slice(-3000)}`);
    console.log(Object.entries(score).map(([k, v]) => `${k} ${v.passed}/${v.of}`).join('   ') + `   ${(ms / 1000).toFixed(1)} s`);
  }
  const must = score.MUST ?? {passed: 1, of: 1};
  if (died || score.security.passed < score.security.of) return 1;
  return must.passed / must.of >= Number(options['min-must-rate']) ? 0 : 1;
}

main().then((code) => process.exit(code), (error) => {
  console.error(error);
  process.exit(70);
});
