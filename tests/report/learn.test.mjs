// A lesson of `vercel-sim learn` in the page, in a real Chromium: the same beats as on its terminal, from the same state, with the keys for whoever came by the
// link. The run is one without next dev (tests/learn/fake_program.mjs), the page and the runner are the real ones.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { chromium } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '../..');
const program = path.resolve(process.env.VSIM_BIN ?? path.join(root, 'build/vercel-sim'));
const kLearn = [path.join(root, 'scripts/learn.mjs'), path.join(root, 'tests/learn/fake_program.mjs')];
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const skip = spawnSync('script', ['-qec', 'true', '/dev/null']).status !== 0 && 'no script(1) to make a terminal';
const kFile = '01-the-empty-map/app/api/rooms/route.js';
const codeOf = (folder) => fs.readFileSync(path.join(root, 'lessons/01-the-empty-map', folder, 'app/api/rooms/route.js'), 'utf8');
const kPatience = 90_000;  // nothing that passes waits for it
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
});
after(() => browser?.close());

// A lesson on a terminal, as if its app were installed.
async function learn(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'vs-l-'));
  const lock = fs.readFileSync(path.join(root, 'lessons/app/package-lock.json'));
  fs.mkdirSync(path.join(dir, '.vercel-sim'));
  fs.mkdirSync(path.join(dir, 'node_modules/next'), { recursive: true });
  fs.writeFileSync(path.join(dir, 'node_modules/next/package.json'), '{}');
  fs.writeFileSync(path.join(dir, '.vercel-sim/installed'), createHash('sha256').update(lock).digest('hex').slice(0, 16));
  const line = `stty cols 120; '${process.execPath}' ${kLearn.map((word) => `'${word}'`).join(' ')} '--dir=${dir}' 1; echo "ended with $?"`;
  const child = spawn('script', ['-qec', line, '/dev/null'], { env: { ...process.env, VSIM_BIN: program, TERM: 'xterm', SHELL: '/bin/sh' } });
  t.after(() => {
    child.kill('SIGKILL');
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const out = { dir, text: '', look: () => {}, press: (keys) => child.stdin.write(keys), says: undefined };
  child.stdout.on('data', (bytes) => {
    out.text += stripVTControlCharacters(String(bytes)).replaceAll('\r\n', '\n');
    out.look();
  });
  out.says = (pattern) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not said: ${pattern}; said:\n${out.text}`)), kPatience);
      out.look = () => {
        const found = pattern.exec(out.text);
        if (!found) return;
        clearTimeout(timer);
        resolve(found);
      };
      out.look();
    });
  const [, url, token] = await out.says(/(http:\/\/localhost:\d+\/_vercel-sim\/)#([0-9a-f]{16})\n/);
  return Object.assign(out, { url, token, save: (code) => (fs.writeFileSync(path.join(dir, `${kFile}.tmp`), code), fs.renameSync(path.join(dir, `${kFile}.tmp`), path.join(dir, kFile))) });
}

async function open(t, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(kPatience);
  const problems = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && problems.push(m.text()));
  page.on('pageerror', (e) => problems.push(String(e.stack)));
  await page.goto(address);
  t.after(async () => {
    await context.close();
    // The lesson is over, and nothing listens there any more.
    assert.deepEqual(problems.filter((text) => !/ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|CONNECTION_RESET)/.test(text)), []);
  });
  return page;
}
const findings = async (page) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`);
};
const beat = (page, name) => page.locator('#l-beats [aria-current]', { hasText: name }).waitFor();
const tabTo = async (page, name) => {
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).waitFor();
  for (let i = 0; i < 150; i += 1) {
    if ((await page.evaluate(() => document.activeElement.textContent)).startsWith(name)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`no Tab leads to ${name}`);
};

test('the whole lesson in the page, by keyboard alone; the terminal says the same; axe finds nothing at any beat', { skip, timeout: 300_000 }, async (t) => {
  const lesson = await learn(t);
  const page = await open(t, `${lesson.url}#${lesson.token}`);
  await beat(page, 'Predict');
  assert.equal(await page.locator('#h-lesson').innerText(), 'Lesson 1 of 11: The Map that is empty again');
  assert.match(await page.locator('#l-body').innerText(), /A lobby for a game\.[^]*const rooms = new Map\(\);/);
  assert.deepEqual(await findings(page), []);
  await tabTo(page, '1 Four times 200');
  await page.keyboard.press('Enter');
  await lesson.says(/You say 1\. Let us see\.[^]*It is 2\. You said 1/);
  await beat(page, 'Fix');
  const body = page.locator('#l-body');
  assert.match(await body.innerText(), /you said[^]*what happens[^]*POST \/api\/rooms {2}-> {2}201[^]*✗ the room is found 2 times of 4[^]*SIM_STATE_NOT_SHARED[^]*Why[^]*Fix/);
  assert.doesNotMatch(await body.innerText(), /`|\*\*/);
  // The lanes are those of this run.
  await page.waitForFunction(() => window.vercelSim.model.requests >= 5);
  assert.deepEqual(await findings(page), []);

  await tabTo(page, 'Hint');
  await page.keyboard.press('Enter');
  await page.getByText('Hint 1 of 3').waitFor();
  await lesson.says(/Hint 1 of 3/);
  lesson.save('export async function POST( {\n');
  await beat(page, 'See again');
  await body.getByText('Parsing ecmascript source code failed').waitFor();
  await tabTo(page, 'Reset');
  await page.keyboard.press('Enter');
  await page.getByText(/What you have changed is lost/).waitFor();
  await tabTo(page, 'Put them back');
  await page.keyboard.press('Enter');
  await page.getByText('Done: as at the start.').waitFor();
  assert.equal(fs.readFileSync(path.join(lesson.dir, kFile), 'utf8'), codeOf('start'));
  lesson.save(codeOf('solution'));
  await page.getByText(/It holds\./).waitFor();
  await body.getByText('✓ the room is found 4 times of 4').waitFor();
  await tabTo(page, 'Next');
  await page.keyboard.press('Enter');
  await beat(page, 'Other ways');
  assert.match(await body.innerText(), /One way to do it[^]*store\.set[^]*Other ways/);
  assert.deepEqual(await findings(page), []);
  await tabTo(page, 'List');
  await page.keyboard.press('Enter');
  await body.getByText('The Map that is empty again done').waitFor();
  await tabTo(page, 'The next lesson');
  await page.keyboard.press('Enter');
  // The same page, the next run.
  await page.getByRole('heading', { name: 'Lesson 2 of 11' }).waitFor();
  await beat(page, 'Predict');
  await lesson.says(/Lesson 2 of 11/);
  lesson.press('q');
  await lesson.says(/ended with 0/);
});

test('what is pressed on the terminal is seen in the page, on a phone too; who came without the link only looks', { skip, timeout: 300_000 }, async (t) => {
  const lesson = await learn(t);
  const phone = await open(t, `${lesson.url}#${lesson.token}`, { viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: 'dark' });
  const other = await open(t, lesson.url);
  for (const page of [phone, other]) await beat(page, 'Predict');
  assert.equal(await other.locator('#lesson button').count(), 0);
  await other.getByText('The lesson waits in its terminal').waitFor();
  assert.deepEqual(await findings(other), []);
  lesson.press('2');
  for (const page of [phone, other]) {
    await beat(page, 'Fix');
    await page.getByText('you said').waitFor();
  }
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  assert.deepEqual(await findings(phone), []);
  await phone.getByRole('button', { name: 'Hint' }).tap();
  for (const page of [phone, other]) await page.getByText('Hint 1 of 3').waitFor();
  lesson.press('q');
  await lesson.says(/ended with 0/);
  await phone.waitForFunction(() => document.getElementById('state').className === 'lost');
  await Promise.all([phone, other].map((page) => page.goto('about:blank')));
});

test('the page is for a browser of this machine; its keys need the token, and are those that are waited for', { skip, timeout: 300_000 }, async (t) => {
  const lesson = await learn(t);
  await lesson.says(/Press 1 to 3/);
  await open(t, lesson.url).then((page) => page.waitForFunction(() => window.vercelSim.model.run !== null));  // the run is there
  const { port } = new URL(lesson.url);
  const ask = (method, target, headers = {}) =>
    new Promise((resolve, reject) => {
      const req = request({ host: '127.0.0.1', port, method, path: target, headers: { host: `localhost:${port}`, ...headers } }, (res) => {
        res.setEncoding('utf8').on('error', reject);
        let text = '';
        res.on('data', (part) => (text += part)).on('end', () => resolve({ status: res.statusCode, text, headers: res.headers }));
      });
      req.on('error', reject).end();
    });
  const token = { 'x-vercel-sim-token': lesson.token };
  for (const [what, method, target, headers, status] of [
    ['another name for this machine', 'GET', '/_vercel-sim/', { host: 'evil.example' }, 403],
    ['a page of another site', 'GET', '/_vercel-sim/api/lesson', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 403],
    ['a page of another port', 'POST', '/_vercel-sim/api/lesson?key=1', { ...token, origin: 'http://localhost:1' }, 403],
    ['no token', 'POST', '/_vercel-sim/api/lesson?key=1', {}, 403],
    ['a wrong token', 'POST', '/_vercel-sim/api/lesson?key=1', { 'x-vercel-sim-token': '0123456789abcdef' }, 403],
    ['no token for what changes the run', 'POST', '/_vercel-sim/api/retire', {}, 403],
    ['a key that is not waited for', 'POST', '/_vercel-sim/api/lesson?key=h', token, 409],
    ['q, which is the terminal’s', 'POST', '/_vercel-sim/api/lesson?key=q', token, 409],
    ['PUT', 'PUT', '/_vercel-sim/', {}, 405],
    ['what is no address', 'GET', '//', {}, 307],
    ['another one', 'GET', '/_vercel-sim/%', {}, 404],
  ]) {
    assert.equal((await ask(method, target, headers)).status, status, what);
  }
  assert.equal((await ask('GET', '/_vercel-sim')).headers.location, '/_vercel-sim/');
  const before = JSON.parse((await ask('GET', '/_vercel-sim/api/lesson')).text);
  assert.deepEqual([before.beat, before.keys.map(({ key }) => key)], ['Predict', ['1', '2', '3']]);
  assert.ok(!('answers' in before), 'what is right is not told before it was foretold');
  assert.equal((await ask('POST', '/_vercel-sim/api/lesson?key=3', token)).status, 200);
  await lesson.says(/You say 3\.[^]*save: look again/);
  // The rest is the run's, and its own token never leaves the runner.
  assert.equal((await ask('POST', '/_vercel-sim/api/retire', token)).status, 200);
  const app = await ask('GET', '/api/rooms?id=1');
  assert.equal(app.status, 307);
  assert.match(app.headers.location, /^http:\/\/localhost:\d+\/api\/rooms\?id=1$/);
  assert.ok(!(await ask('GET', '/_vercel-sim/api/lesson')).text.includes('00112233445566ff'));
  lesson.press('q');
  await lesson.says(/ended with 0/);
});
