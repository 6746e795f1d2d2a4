// The live page in a real Chromium, served by the real program: what its lanes show is what the event stream says, a verdict is found by keyboard
// alone, axe finds nothing, and it is good on a phone and in the dark.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { folded, scene, Scene } from '../page/scene.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = process.env.VSIM_BIN ?? join(root, 'build/vercel-sim');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const dir = mkdtempSync(join(tmpdir(), 'vercel-sim-live-'));
const events = join(dir, 'events.jsonl');
let browser, app, sim, origin, token;

before(async () => {
  app = createServer((request, response) => {
    if (request.url.startsWith('/slow')) return;  // never answers
    if (request.url.startsWith('/stream')) {
      const timer = setInterval(() => response.write('data: tick\n\n'), 50);
      return void response.on('close', () => clearInterval(timer));
    }
    response.statusCode = request.url.startsWith('/missing') ? 404 : 200;
    response.end('ok');
  });
  await new Promise((resolve) => app.listen(0, '127.0.0.1', resolve));
  sim = spawn(bin, ['run', '--port', '0', '--profile', 'hobby', '--set', 'duration.default=1s', '--events', events, '--upstream', `http://127.0.0.1:${app.address().port}`],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  origin = await new Promise((resolve, reject) => {
    sim.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const address = /(http:\/\/localhost:\d+)\/_vercel-sim\/(#[0-9a-f]{16})\n/.exec(said);
      if (!address) return;
      token = address[2];
      resolve(address[1]);
    });
    sim.on('exit', () => reject(new Error(`it ended: ${said}`)));
  });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
});
after(async () => {
  await browser?.close();
  sim?.kill('SIGTERM');
  app?.closeAllConnections();
  app?.close();
  rmSync(dir, { recursive: true, force: true });
});

// What a run would say beside its events.
const kNotes = {
  events: [], instance: [], open: false, request: { headers: [{ name: 'Cookie', value: 'sid=***' }, { name: 'User-Agent', value: 'x'.repeat(200) }] }, response: { headers: [{ name: 'Server', value: 'Vercel' }], left_out: 3 },
  lines: [{ at_ms: 3600, text: 'asking the <b>database</b>', sure: true }, { at_ms: 4200, text: 'slow: ' + 'y'.repeat(300), error: true, sure: false }], lines_left_out: 2, notes_left_out: 0,
};

// A page whose every complaint and every request to elsewhere fails the test.
async function open(t, options = {}, fixed = null, fragment = '', refused = 0) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && problems.push(m.text()));
  page.on('pageerror', (e) => problems.push(String(e.stack)));
  page.on('request', (r) => r.url().startsWith(origin) || r.url().startsWith('data:') || problems.push(`asks ${r.url()}`));
  // What the program would tell of another run; the connection then ends, and the page asks again.
  if (fixed) {
    const text = `retry: 600000\nevent: hello\ndata: {"run":"scene","left_out":0,"at_ms":14000}\n\n${fixed.map((e) => (e.leftOut ? `event: left_out\ndata: {"events":${e.leftOut}}\n\n` : `data: ${JSON.stringify(e)}\n\n`)).join('')}`;
    await page.route('**/_vercel-sim/api/invocations/*', (route) => route.fulfill({ json: kNotes }));
    await page.route('**/_vercel-sim/events', (route) => route.fulfill({ contentType: 'text/event-stream', body: text }));
  }
  await page.goto(`${origin}/_vercel-sim/${fragment}`);
  t.after(async () => {
    await context.close();
    const isRefusal = (text) => /status of 40[39]/.test(text);  // Chromium tells those of each answer
    assert.deepEqual(problems.filter((text) => !isRefusal(text)), []);
    assert.equal(problems.filter(isRefusal).length, refused);
  });
  return page;
}
const until = (page, expression, argument) => page.waitForFunction(expression, argument, { timeout: 15_000 });
const shown = (page) => page.evaluate(() => ({ lanes: window.vercelSim.lanes, drawn: window.vercelSim.drawn, view: window.vercelSim.view }));
const findings = async (page) => {
  await page.evaluate(axe);  // not as a script element: the page's own policy forbids it
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`);
};

test('what is left out of a flood is counted on the page, and ends no request that is open', async (t) => {
  const started = (id) => ({ t: 'invocation_started', seq: id, time: new Date(0).toISOString(), at_ms: 13_000 + id, id, request_id: `iad1::r-${id}`, method: 'GET', target: '/flood' });
  const page = await open(t, {}, [started(1), { leftOut: 5 }, started(7), { leftOut: 2 }]);
  await until(page, () => window.vercelSim.model.open.size === 2);
  await until(page, () => / · 7 events not shown · /.test(document.querySelector('footer').textContent));
  assert.doesNotMatch(await page.locator('footer').innerText(), /dropped/);
});

test('the page shows what happened and what happens, as the events file has it; the selection stays meanwhile', async (t) => {
  for (const path of ['/one', '/two?token=s3cret', '/missing']) await fetch(origin + path);
  assert.equal((await fetch(`${origin}/slow`)).status, 504);
  const page = await open(t);
  await until(page, () => window.vercelSim.model.requests === 4);
  await page.locator('#lanes').focus();
  await page.keyboard.press('v');
  assert.match(await page.locator('#said').innerText(), /^GET \/slow, status 504, .*FUNCTION_INVOCATION_TIMEOUT.*Fix: /s);
  for (let i = 0; i < 20; i++) await fetch(`${origin}/more/${i}`);
  await until(page, () => window.vercelSim.model.requests === 24);
  assert.match(await page.locator('#said').innerText(), /^GET \/slow/);
  const ofPage = await page.evaluate(() => [...window.vercelSim.model.calls.values()].map((c) => [c.method, c.target, c.status, c.code]));
  const ofFile = readFileSync(events, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter((e) => e.t === 'invocation_ended').map((e) => [e.method, e.target, e.status, e.code ?? '']);
  const sorted = (list) => list.map(String).sort();
  assert.deepEqual(sorted(ofPage), sorted(ofFile));
  assert.ok(!(await page.content()).includes('s3cret'));
  await until(page, () => document.getElementById('verdict').innerText === '✗ 1 violation on hobby');
  assert.deepEqual(await findings(page), []);
});

test('the story has header fields, secrets masked; a stream has ticks while it is open, and what has ended is not written anew', async (t) => {
  const page = await open(t);
  await fetch(`${origin}/story`, { headers: { cookie: 'sid=s3cret', 'x-mine': 'shown' } });
  await until(page, () => [...window.vercelSim.model.calls.values()].some((c) => c.target === '/story' && c.ended));
  await page.locator('#requests button', { hasText: '/story' }).click();
  await page.getByText(/^Request: \d+ header fields$/).click();
  const story = page.locator('#story');
  await story.getByText('shown').waitFor();
  assert.match(await story.innerText(), /cookie\s+sid=\*\*\*/);
  assert.match(await story.locator('details', { hasText: 'Response' }).textContent(), /X-Vercel-Idiad1::/);
  // Marked text stays marked while others come.
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector('#story .mono')));
  const marked = await page.evaluate(() => getSelection().toString());
  for (let i = 0; i < 5; i++) await fetch(`${origin}/beside/${i}`);
  await until(page, () => [...window.vercelSim.model.calls.values()].some((c) => c.target === '/beside/4' && c.ended));
  await until(page, () => document.getElementById('requests').innerText.includes('/beside/4'));
  assert.equal(await page.evaluate(() => getSelection().toString()), marked);

  const stream = await fetch(`${origin}/stream`);
  t.after(() => stream.body.cancel().catch(() => {}));
  await until(page, () => [...window.vercelSim.model.calls.values()].some((c) => c.target === '/stream' && c.passed?.spans.includes('o')));
  await page.locator('#requests button', { hasText: '/stream' }).click();
  await story.getByText(/^out in \d+ and in in 0 of \d+ spans of 200ms/).waitFor();
});

test('who came by the link of the terminal changes the run; who did not only looks', async (t) => {
  const other = await open(t);
  await until(other, () => window.vercelSim.model.run !== null);
  assert.ok(await other.locator('#act').isHidden());
  const page = await open(t, {}, null, token);
  await page.locator('#act').waitFor();
  assert.deepEqual(await findings(page), []);
  assert.equal(await page.locator('#a-plan').inputValue(), 'hobby');
  await page.locator('#a-plan').selectOption('pro-fluid');
  await page.getByText('Plan pro-fluid: done').waitFor();
  for (const each of [page, other]) await until(each, () => window.vercelSim.model.run.profile === 'pro-fluid');
  await page.locator('#a-scale').selectOption('10');
  await until(page, () => window.vercelSim.model.run.timeScale === 10);
  await page.getByRole('button', { name: 'New instances' }).click();
  await page.getByText('New instances: done').waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('there is nothing to deploy').waitFor();
  // A token that is none: the run says why, and nothing changes.
  const wrong = await open(t, {}, null, '#0123456789abcdef', 1);
  await wrong.locator('#a-plan').selectOption('hobby');
  await wrong.getByText(/^Plan hobby: .*token/).waitFor();
  assert.equal(await page.evaluate(() => window.vercelSim.model.run.profile), 'pro-fluid');
  await page.locator('#a-scale').selectOption('1');
  await page.locator('#a-plan').selectOption('hobby');
  await until(page, () => window.vercelSim.model.run.profile === 'hobby' && window.vercelSim.model.run.timeScale === 1);
});

test('a verdict is found, told and left by keyboard alone', async (t) => {
  const page = await open(t, {}, scene().events());
  await until(page, () => window.vercelSim.drawn.length > 0);
  const focused = () => page.evaluate(() => document.activeElement.id);
  for (let i = 0; i < 30 && (await focused()) !== 'lanes'; i++) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'lanes');
  await page.keyboard.press('v');
  await page.keyboard.press('v');
  const said = page.locator('#said');
  assert.match(await said.innerText(), /GET \/api\/slow\?ms=20000, status 504, 10\.6s, on i3, violation FUNCTION_INVOCATION_TIMEOUT: .*Fix: Write export const maxDuration = 60/);
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'h-story');
  const story = await page.locator('#story').innerText();
  assert.ok(story.indexOf('Fix.') < story.indexOf('Seen:'), 'the fix comes first');
  await page.getByText('Printed meanwhile').waitFor();
  const notes = await page.locator('#story').innerText();
  for (const text of ['Request: 2 header fields', 'Response: 1 header field, 3 more left out', '+650ms\nasking the <b>database</b>', '? +1.25s', 'Others ran on i3 at the same time', 'and 2 lines more']) assert.ok(notes.includes(text), `${text} in ${notes}`);
  for (const text of ['app/api/slow/route.ts:3', 'measured 10.0s; limit 10s', 'evaluates its modules', 'waits for an instance', 'profiles/hobby-fluid.yaml:21']) assert.ok(story.includes(text), text);
  assert.equal(await page.locator('#story a').first().getAttribute('href'), 'https://vercel.com/docs/functions/limitations');
  assert.doesNotMatch(story, /`/);
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'lanes');
  assert.ok(await page.locator('#story').isHidden());
  await page.keyboard.press('ArrowDown');
  assert.match(await said.innerText(), /ms=30000, .*on i6/);
});

test('lanes, bars and filters are what the events say', async (t) => {
  const list = scene().tell(9000, 'deployed', { deployment: 2, name: 'dpl_2', sockets: 1, streams: 0, requests: 0 }).events(), model = folded(list);
  const page = await open(t, {}, list);
  await page.locator('#fit').click();
  await until(page, () => window.vercelSim.drawn.length === 8);
  const { lanes, drawn, view } = await shown(page);
  for (const instance of model.instances.values()) {
    const lane = lanes.find((l) => l.key === instance.name);
    assert.equal(lane.group, instance.group);
    assert.deepEqual(lane.calls.sort(), instance.calls.map((c) => c.key).sort(), instance.name);
  }
  assert.deepEqual(await page.evaluate(() => window.vercelSim.deployments.map((d) => d.number)), [2]);
  // Time from left to right, in proportion.
  const width = await page.evaluate(() => document.getElementById('lanes').clientWidth - 132);
  const xOf = (at) => 132 + ((at - view.from) / (view.to - view.from)) * width;
  assert.ok(Math.abs((await page.evaluate(() => window.vercelSim.deployments[0].x)) - xOf(9000)) < 1);
  for (const box of drawn) {
    const call = model.calls.get(box.key);
    assert.ok(Math.abs(box.x - 132 - ((call.began - view.from) / (view.to - view.from)) * width) < 1, call.target);
    if (call.ended) assert.ok(Math.abs(box.w - Math.max(3, ((call.ended - call.began) / (view.to - view.from)) * width)) < 1.5, call.target);
  }
  await page.locator('#f-outcome').selectOption('said');
  await until(page, () => window.vercelSim.drawn.length === 3);
  await page.locator('#f-text').fill('rooms');
  await until(page, () => window.vercelSim.drawn.length === 1);
  await until(page, () => window.vercelSim.settled);
  const [box] = (await shown(page)).drawn;
  const at = await page.locator('#canvas').boundingBox();
  await page.mouse.move(at.x + box.x + box.w / 2, at.y + box.y + box.h / 2);
  assert.match(await page.locator('#tip').innerText(), /State of one instance[\s\S]*Fix\./);
  await page.mouse.click(at.x + box.x + box.w / 2, at.y + box.y + box.h / 2);
  assert.match(await page.locator('#story').innerText(), /Written on i1, looked for on i2/);
});

test('axe finds nothing, with the story open and shut, in light and dark, and on a phone nothing is wider than it', async (t) => {
  for (const options of [{}, { colorScheme: 'dark' }, { viewport: { width: 390, height: 844 }, hasTouch: true }]) {
    const page = await open(t, options, scene().events());
    await until(page, () => document.querySelectorAll('#requests tr').length > 3);
    assert.deepEqual(await findings(page), []);
    await page.locator('#requests button', { hasText: 'ms=20000' }).click();
    assert.ok(await page.locator('#story').isVisible());
    await page.getByText('Request: 2 header fields').click();
    await page.getByText('sid=***').waitFor();
    assert.deepEqual(await findings(page), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), JSON.stringify(options));
    if (!options.hasTouch) continue;
    await page.locator('#story button', { hasText: 'Close' }).tap();
    await page.locator('#fit').tap();
    const call = await until(page, () => window.vercelSim.settled && window.vercelSim.drawn.find((b) => b.w > 40)).then((h) => h.jsonValue());
    const at = await page.locator('#canvas').boundingBox();
    await page.touchscreen.tap(at.x + call.x + 20, at.y + call.y + 6);
    assert.ok(await page.locator('#story').isVisible(), 'a tap opens the story');
  }
});

test('with 5,000 requests the lanes still move', async (t) => {
  const s = new Scene().run();
  for (let i = 0; i < 5000; i++) s.call(1000 + i * 2, { target: `/api/${i % 20}?n=${i}`, instance: `i${i % 200}`, run: 20 + (i % 30) });
  const page = await open(t, {}, s.events());
  await until(page, () => window.vercelSim.model.requests === 5000);
  await page.locator('#fit').click();
  const frames = await page.evaluate(() => new Promise((resolve) => {
    const lanes = document.getElementById('lanes');
    let n = 0;
    const end = performance.now() + 1000;
    const step = () => {
      n++;
      lanes.scrollTop += 40;
      if (performance.now() < end) requestAnimationFrame(step);
      else resolve(n);
    };
    step();
  }));
  assert.ok(frames >= 8, `${frames} frames in a second`);
  assert.ok(await page.evaluate(() => document.querySelectorAll('*').length < 4000), 'its document stays small');
});
