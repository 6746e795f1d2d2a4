// The API and the metrics as other programs use them: the description by an official validator, each answer against it, the metrics by a parser of
// Prometheus' format; who may ask, and who may change the run.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import {test} from 'node:test';
import {Validator} from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import parsePrometheus from 'parse-prometheus-text-format';
import {answer, get, request, world} from '../integration/world.mjs';

const description = JSON.parse(fs.readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({strict: false, formats: {'date-time': (text) => !Number.isNaN(Date.parse(text))}});
ajv.addSchema(description, 'api');

const ask = (target, ...headers) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${headers.map((h) => `${h}\r\n`).join('')}Connection: close\r\n\r\n`;
const pointer = (...parts) => parts.map((p) => p.replaceAll('~', '~0').replaceAll('/', '~1')).map(encodeURIComponent).join('/');

// The answer of `path` below /_vercel-sim, checked against what is said of it.
async function api(w, path, {status = 200, as = path, method = 'GET', headers = []} = {}) {
  const [bare] = as.split('?');
  const response = await w.fetch(request(method, `/_vercel-sim${path}`, headers));
  const body = Buffer.from(response.body, 'latin1').toString();
  assert.equal(response.status, status, `${path}: ${body}`);
  assert.match(response.head.get('content-type'), /^application\/json/);
  assert.equal(response.head.get('access-control-allow-origin'), undefined);
  const data = JSON.parse(body);
  const schema = status === 200 ? pointer('paths', bare, method.toLowerCase(), 'responses', '200', 'content', 'application/json', 'schema') : 'components/schemas/Error';
  assert.ok(ajv.validate({$ref: `api#/${schema}`}, data), `${path}: ${ajv.errorsText()} in ${body.slice(0, 500)}`);
  return data;
}

// A request line of 20,000 characters is refused by the platform, which is a verdict.
const kTooLong = `/long?${'x'.repeat(20_000)}`;
const busy = async (t, more = {}) => {
  const w = await world(t, {origin: answer('app'), ...more});
  await w.fetch(get('/one?token=s3cret'));
  await w.fetch(request('POST', '/two'));
  await w.fetch(get(kTooLong));
  return w;
};

test('the description is valid OpenAPI, and is what the program serves', async (t) => {
  const {valid, errors} = await new Validator().validate(structuredClone(description));
  assert.ok(valid, JSON.stringify(errors));
  const w = await world(t, {origin: answer('app')});
  assert.deepEqual(await api(w, '/api/openapi.json'), description);
  assert.equal(w.record.requests.length, 0, 'the app is not asked');
});

test('requests, their stories, verdicts, instances, the run and its plan', async (t) => {
  const w = await busy(t);
  const {invocations, open, more, left_out: leftOut} = await api(w, '/api/invocations');
  assert.deepEqual(invocations.map((e) => `${e.method} ${e.target.slice(0, 14)} ${e.status}`), ['GET /one?token=*** 200', 'POST /two 200', 'GET /long?xxxxxxxx 414']);
  assert.deepEqual([open, more, leftOut], [[], false, 0]);
  assert.doesNotMatch(JSON.stringify(invocations), /s3cret/);
  const story = await api(w, `/api/invocations/${invocations[1].id}`, {as: '/api/invocations/{which}'});
  assert.deepEqual(story.events.map((e) => e.t), ['invocation_started', 'invocation_ended']);
  assert.equal(story.open, false);
  const names = (head) => Object.fromEntries(head.headers.map((h) => [h.name.toLowerCase(), h.value]));
  assert.equal(names(story.request).host, 'localhost');
  assert.match(names(story.response)['x-vercel-id'], /^iad1::iad1::/);
  assert.deepEqual([story.lines, story.notes_left_out], [[], 0]);
  const byName = await api(w, `/api/invocations/${encodeURIComponent(invocations[1].request_id)}`, {as: '/api/invocations/{which}'});
  assert.deepEqual(byName, story);
  const refused = await api(w, `/api/invocations/${encodeURIComponent(invocations[2].request_id)}`, {as: '/api/invocations/{which}'});
  assert.deepEqual(refused.events, [invocations[2]]);
  const {verdicts} = await api(w, '/api/verdicts');
  assert.deepEqual(verdicts.map((v) => [v.seq, v.status, v.verdict.code]), [[invocations[2].seq, 414, 'URL_TOO_LONG']]);
  assert.deepEqual((await api(w, '/api/instances')).instances, []);
  const run = await api(w, '/api/run');
  assert.equal(run.run_started.profile, 'hobby');
  assert.equal(run.app_changed.state, 'ready');
  const plan = await api(w, '/api/plan');
  assert.equal(plan.values['duration.default'].value, '10s');
  assert.match(plan.values['duration.default'].source, /^https:/);
});

test('filters and pages: nothing is told twice, and nothing is left out', async (t) => {
  const w = await busy(t);
  const only = async (query) => (await api(w, `/api/invocations?${query}`)).invocations.map((e) => e.method + e.status);
  assert.deepEqual(await only('status=414'), ['GET414']);
  assert.deepEqual(await only('code=URL_TOO_LONG'), ['GET414']);
  assert.deepEqual(await only('method=POST&status=200'), ['POST200']);
  assert.deepEqual(await only('route=%22%5C'), []);
  assert.deepEqual(await only('limit=1'), ['GET414'], 'the last');
  const all = (await api(w, '/api/events?limit=1000')).events;
  const paged = [];
  for (let after = 0, more = true; more;) {
    const page = await api(w, `/api/events?after=${after}&limit=2`);
    assert.ok(page.events.length > 0 && page.events.length <= 2);
    paged.push(...page.events);
    ({next: after, more} = page);
  }
  assert.deepEqual(paged, all);
  all.forEach((e, i) => assert.equal(e.seq, i + 1));
  assert.deepEqual((await api(w, `/api/verdicts?after=${all.at(-1).seq}`)).verdicts, []);
});

test('what is wrong in a question is said', async (t) => {
  const w = await world(t, {origin: answer('app')});
  for (const [path, status, error] of [
    ['/api/invocations?limit=0', 400, /limit expects/], ['/api/events?after=x', 400, /after expects/], ['/api/verdicts?colour=red', 400, /colour is no parameter/],
    ['/api/run?x=1', 400, /takes no parameters/], ['/api/nothing', 404, /no nothing/], ['/api/invocations/99', 404, /no invocation 99/], ['/api/invocations/', 404, /./],
  ])
    assert.match((await api(w, path, {status})).error, error, path);
  assert.match((await api(w, '/api/run', {status: 405, method: 'POST'})).error, /GET, HEAD/);
  assert.match((await api(w, '/api/retire', {status: 405})).error, /POST/);
});

test('other sites, other hosts and frames get nothing; actions need the token as well', async (t) => {
  const w = await world(t, {origin: answer('app'), args: ['--allowed-hosts', 'app.test']});
  const [, token] = await w.eventually(() => /_vercel-sim\/#([0-9a-f]{16})$/m.exec(w.sim.child.said), 'the link');
  for (const path of ['/api/run', '/api/events', '/metrics'])
    for (const headers of [['Origin: https://evil.test'], ['Sec-Fetch-Site: cross-site'], ['Sec-Fetch-Site: same-site'], ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']])
      assert.equal((await w.fetch(ask(`/_vercel-sim${path}`, ...headers))).status, 403, `${path} ${headers}`);
  assert.equal((await w.fetch('GET /_vercel-sim/api/run HTTP/1.1\r\nHost: app.test\r\n\r\n')).status, 403);
  const post = (path, status, ...headers) => api(w, path, {status, method: 'POST', headers: ['Content-Length: 0', ...headers]});
  await post('/api/plan?profile=pro', 403);
  await post('/api/plan?profile=pro', 403, `X-Vercel-Sim-Token: ${token.slice(0, -1)}`);
  await post('/api/plan?profile=pro', 403, `X-Vercel-Sim-Token: ${token}`, 'Origin: https://evil.test');
  assert.equal((await api(w, '/api/run')).profile_changed, undefined, 'nothing has changed');
  const own = `X-Vercel-Sim-Token: ${token}`;
  assert.equal((await post('/api/plan?profile=pro', 200, own)).profile_changed.profile, 'pro');
  assert.equal((await api(w, '/api/plan')).name, 'pro');
  await post('/api/plan?set=duration.default%3D7s', 200, own);
  assert.equal((await api(w, '/api/plan')).values['duration.default'].value, '7s');
  assert.equal((await post('/api/plan?time_scale=5x', 200, own)).profile_changed.time_scale, 5);
  assert.match((await post('/api/plan?set=duration.default%3Dlong', 409, own)).error, /duration/);
  assert.match((await post('/api/plan?profile=/etc/passwd', 409, own)).error, /expects one of/);
  assert.match((await post('/api/plan', 400, own)).error, /one of profile, set, time_scale/);
  assert.match((await post('/api/plan?profile=pro&set=x', 400, own)).error, /one of/);
  await post('/api/retire', 200, own);
  assert.match((await post('/api/kill', 400, own)).error, /expects instance/);
  assert.match((await post('/api/kill?instance=i3&x=1', 400, own)).error, /expects instance/);
  assert.match((await post('/api/kill?instance=i3', 409, own)).error, /there are no instances/);
  await post('/api/deploy', 200, own);
});

test('a name that only begins like an address of this machine is none, whatever is allowed', async (t) => {
  const w = await world(t, {origin: answer('app'), args: ['--allowed-hosts', '*']});
  for (const host of ['127.evil.test', '127.0.0.1.evil.test', 'localhost.evil.test'])
    for (const path of ['/', '/api/run', '/events', '/metrics'])
      assert.equal((await w.fetch(`GET /_vercel-sim${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).status, 403, `${host} ${path}`);
});

test('whoever asks without end holds up no request: few wait, the others are told so, who does not read is cut', async (t) => {
  const w = await world(t, {origin: answer('app')});
  for (let i = 0; i < 60; i++) {
    const fill = w.connect(get(`/some/path/of/it?page=${i}`).repeat(100));
    await fill.until(() => fill.complete() >= 100);
    fill.destroy();
  }
  const question = ask('/_vercel-sim/api/invocations?limit=1000&route=none');
  const asking = Array.from({length: 60}, () => w.connect(question));
  // All that wait are told; meanwhile a request has its turn.
  const between = await w.fetch(get('/between'));
  assert.equal(between.status, 200);
  const before = asking.filter((c) => c.closed).length;
  for (const client of asking) await w.eventually(() => client.closed, 'an answer for each', 30_000);
  const statuses = asking.map((c) => c.responses[0]?.status);
  assert.deepEqual([...new Set(statuses)].toSorted(), [200, 503], 'answered, or sent away');
  assert.ok(statuses.filter((s) => s === 200).length >= 16, `${statuses}`);
  assert.ok(before < 60, 'the request did not wait for all of them');
  // Answers of half a megabyte that nobody takes: as many as may wait, and the next one is answered all the same.
  const deaf = [];
  for (let i = 0; i < 20; i++) {
    const socket = net.connect(w.port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    socket.pause();
    socket.write(ask('/_vercel-sim/api/events?limit=1000'));
    deaf.push(socket);
    assert.equal((await w.fetch(ask('/_vercel-sim/api/run'))).status, 200, `after ${i} that do not read`);
  }
});

test('the metrics are what Prometheus reads, and count what has happened', async (t) => {
  const w = await busy(t);
  const response = await w.fetch(ask('/_vercel-sim/metrics'));
  assert.equal(response.head.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = Buffer.from(response.body, 'latin1').toString();
  const families = Object.fromEntries(parsePrometheus(text).map((f) => [f.name, f]));
  for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) assert.ok(families[name], `${name} was not understood`);
  const sum = (name) => families[name].metrics.reduce((all, m) => all + Number(m.value ?? m.count), 0);
  assert.equal(families.vercel_sim_info.metrics[0].labels.profile, 'hobby');
  assert.equal(sum('vercel_sim_ready'), 1);
  assert.equal(sum('vercel_sim_requests_total'), 3);
  const [verdict] = families.vercel_sim_verdicts_total.metrics;
  assert.deepEqual([verdict.labels.code, verdict.labels.enforced, verdict.value], ['URL_TOO_LONG', 'true', '1']);
  const {events} = await api(w, '/api/events?limit=1000');
  assert.equal(sum('vercel_sim_events_total'), events.length);
  const values = (pattern) => [...text.matchAll(pattern)].map(([, value]) => Number(value));
  const buckets = values(/^vercel_sim_charged_seconds_bucket\{.*\} (\d+)$/gm);
  assert.deepEqual(buckets, buckets.toSorted((a, b) => a - b), 'each bucket holds those before it');
  assert.deepEqual(values(/^vercel_sim_charged_seconds_count\{.*\} (\d+)$/gm), [buckets.at(-1)]);
  assert.equal(buckets.at(-1), 3);
});
