// The Dockerfile and the GitHub Action, as far as they can be checked without Docker and GitHub: against their schemas, against what they refer to, and the
// action's scripts are run as a runner would.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {before, describe, test} from 'node:test';
import {DockerfileParser} from 'dockerfile-ast';
import {validate} from 'dockerfile-utils';
import {parse} from 'yaml';
import {check, kDist, kRoot, kSystem, plainEnv, run, tempDir, version} from './lib.mjs';

const dockerfile = fs.readFileSync(path.join(kRoot, 'packaging/Dockerfile'), 'utf8');
const action = parse(fs.readFileSync(path.join(kRoot, 'action.yml'), 'utf8'));
const instructions = DockerfileParser.parse(dockerfile).getInstructions();
const all = (keyword) => instructions.filter((i) => i.getKeyword() === keyword).map((i) => i.getArguments().map((a) => a.getValue()));

test('Dockerfile: a parser and a linter find nothing', () => {
  assert.deepEqual(validate(dockerfile).map((d) => `${d.range.start.line + 1}: ${d.message}`), []);
  assert.notDeepEqual(validate(dockerfile.replace('WORKDIR', 'WORKDIRR')), []);
});

test('Dockerfile: it installs the packages of every build (scripts/common.sh), and what packaging needs', () => {
  const text = fs.readFileSync(path.join(kRoot, 'scripts/common.sh'), 'utf8');
  const needed = text.match(/^build_packages=\(([^)]*)\)/m)[1].split(/\s+/).filter((name) => name && name !== 'ccache');
  const [install] = all('RUN').filter((words) => words.includes('install'));
  const installed = install.slice(install.indexOf('--no-install-recommends') + 1, install.indexOf('&&', install.indexOf('install')));
  assert.deepEqual(installed.sort(), [...needed, 'binutils'].sort());
});

test('Dockerfile: what the build reads is not ignored', () => {
  const ignored = fs.readFileSync(path.join(kRoot, 'packaging/Dockerfile.dockerignore'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
  // Everything that CMake reads lies in these; their names must match no pattern.
  const read = new Set(['CMakeLists.txt', 'cmake', 'src', 'packaging']);
  for (const [, dir] of fs.readFileSync(path.join(kRoot, 'CMakeLists.txt'), 'utf8').matchAll(/EMBED(?:_GLOB)? (\w+)\//g)) read.add(dir);
  for (const name of read) {
    assert.ok(fs.existsSync(path.join(kRoot, name)), name);
    assert.ok(!ignored.some((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name)), name);
  }
});

test('Dockerfile: the lines of its build, run by hand on a clean copy of the sources', {skip: !process.env.VSIM_FULL && 'takes minutes: VSIM_FULL=1'}, (t) => {
  const dir = tempDir(t);
  fs.mkdirSync(path.join(dir, 'src'));
  check('sh', ['-c', 'git -C "$0" archive HEAD | tar x -C "$1/src"', kRoot, dir]);
  const line = instructions.find((i) => i.getKeyword() === 'RUN' && i.toString().includes('cmake -B')).getArgumentsContent();
  const here = line.replace(/(?<=[\s=])\/(build|vercel-sim|NOTICES\.md)/g, `${dir}/$1`).replace(/\\\n/g, '');
  check('sh', ['-c', here], {cwd: path.join(dir, 'src'), timeout: 1800000});
  assert.equal(check(path.join(dir, 'vercel-sim'), ['--version']).stdout, `vercel-sim ${version}\n`);
  assert.match(fs.readFileSync(path.join(dir, 'NOTICES.md'), 'utf8'), /^## libssl-dev/m);
});

const validator = path.join(import.meta.dirname, 'node_modules/.bin/action-validator');

test('action.yml: valid by the schema of action metadata', (t) => {
  check(validator, [path.join(kRoot, 'action.yml')]);
  const wrong = path.join(tempDir(t), 'action.yml');
  fs.writeFileSync(wrong, fs.readFileSync(path.join(kRoot, 'action.yml'), 'utf8').replace('using: composite', 'using: node12345'));
  assert.notEqual(run(validator, [wrong]).code, 0, 'the validator validates');
});

test('action.yml: inputs reach scripts as environment only, each is used, each script exists', () => {
  const used = new Set();
  for (const step of action.runs.steps) {
    assert.doesNotMatch(step.run, /\$\{\{/, 'an input in the text of a script would be run as a part of it');
    for (const value of Object.values({...step.env, dir: step['working-directory'] ?? ''}))
      for (const [, name] of value.matchAll(/inputs\.([\w-]+)/g)) used.add(name);
    const [, script] = step.run.match(/^bash "\$GITHUB_ACTION_PATH\/([^"]+)"$/);
    assert.ok(fs.existsSync(path.join(kRoot, script)), script);
  }
  assert.deepEqual([...used].sort(), Object.keys(action.inputs).sort());
});

test('install.sh: archives are installed, no script of a package runs, and nothing is installed by a name that is nobody’s', (t) => {
  const dir = tempDir(t);
  const npm = '#!/bin/sh\necho "$@" >"$RUNNER_TEMP/asked"; mkdir -p "$RUNNER_TEMP/vercel-sim/node_modules/.bin"\n' +
    'ln -s /bin/true "$RUNNER_TEMP/vercel-sim/node_modules/.bin/vercel-sim"\n';
  fs.writeFileSync(path.join(dir, 'npm'), npm, {mode: 0o755});
  const install = (given) => {
    const env = plainEnv({RUNNER_TEMP: dir, GITHUB_PATH: path.join(dir, 'path'), GITHUB_ACTION_PATH: kRoot, VSIM_VERSION: given, PATH: `${dir}:/usr/bin:/bin`});
    return run('bash', [path.join(kRoot, 'packaging/action/install.sh')], {env, cwd: dir});
  };
  const asked = path.join(dir, 'asked');
  fs.writeFileSync(path.join(dir, 'vercel-sim-9.tgz'), '');
  const r = install('./vercel-sim-9.tgz');
  assert.equal(r.code, 0, r.stdout + r.stderr);
  const words = fs.readFileSync(asked, 'utf8').trim().split(' ');
  assert.ok(words.includes('--ignore-scripts'));
  assert.equal(words.at(-1), path.join(fs.realpathSync(dir), 'vercel-sim-9.tgz'));
  fs.rmSync(asked);
  for (const given of ['', ' ', version, 'latest', 'vercel-sim', `./vercel-sim-9.tgz vercel-sim@${version}`, 'gone.tgz', 'https://example.test/vercel-sim-9.tgz', '--prefix=x.tgz']) {
    const refused = install(given);
    assert.equal(refused.code, 64, given);
    assert.match(refused.stdout, /^::error::version /m, given);
  }
  assert.equal(action.inputs.version.default, 'none');
  assert.match(install('none').stdout, /^::error::vercel-sim is not in PATH/m);
  assert.equal(fs.existsSync(asked), false, 'npm was not asked');
});

test('docs: what installs vercel-sim names archives and runs no script of a package; npx fetches nothing', () => {
  const docs = ['README.md', 'SECURITY.md', 'packaging/npm/vercel-sim/README.md', ...fs.readdirSync(path.join(kRoot, 'docs'), {recursive: true}).filter((name) => /\.(md|1|json)$/.test(name)).map((name) => `docs/${name}`)];
  let seen = 0;
  for (const name of docs)
    for (const line of fs.readFileSync(path.join(kRoot, name), 'utf8').replaceAll('\\-', '-').split('\n')) {
      for (const [command, rest] of line.matchAll(/\bnpm (?:i|install|add|exec)\b([^`&|;\n]*)/g)) {
        if (!/vercel-sim/.test(rest)) continue;
        seen += 1;
        assert.match(command, /--ignore-scripts/, `${name}: ${command}`);
        for (const word of rest.split(/\s+/)) if (/vercel-sim/.test(word)) assert.match(word, /\.tgz$/, `${name}: ${command}`);
      }
      for (const [command, rest] of line.matchAll(/\b(?:npx|"npx", "args": \[)([^`&|;\n]*?)vercel-sim/g)) {
        seen += 1;
        assert.match(rest, /--no\b/, `${name}: ${command}`);
      }
      assert.doesNotMatch(line, /\b(?:pnpm|yarn|bun)x? (?:dlx|add|create) [^`]*vercel-sim|\bbunx vercel-sim/, name);
    }
  assert.ok(seen > 8, `${seen} are found`);
});

test('the shell scripts of packaging/ satisfy shellcheck', {skip: run('sh', ['-c', 'command -v shellcheck']).code !== 0 && 'needs shellcheck'}, () => {
  const scripts = fs.readdirSync(path.join(kRoot, 'packaging'), {recursive: true}).filter((name) => name.endsWith('.sh'));
  assert.ok(scripts.length > 3);
  check('shellcheck', ['-x', '-e', 'SC1091', ...scripts], {cwd: path.join(kRoot, 'packaging')});
});

// A runner's part: the steps in order, `inputs` filled in, the files of the job, PATH as GITHUB_PATH says.
class Job {
  constructor(t, project) {
    this.dir = tempDir(t);
    this.project = path.join(this.dir, 'project');
    for (const [name, content] of Object.entries(project)) {
      fs.mkdirSync(path.dirname(path.join(this.project, name)), {recursive: true});
      fs.writeFileSync(path.join(this.project, name), content);
    }
  }
  run(inputs) {
    const given = Object.fromEntries(Object.entries(action.inputs).map(([name, {default: value}]) => [name, inputs[name] ?? value]));
    const file = (name) => path.join(this.dir, name);
    for (const name of ['path', 'output', 'summary']) fs.writeFileSync(file(name), '');
    const job = {GITHUB_ACTIONS: 'true', CI: 'true', GITHUB_ACTION_PATH: kRoot, RUNNER_TEMP: this.dir, GITHUB_PATH: file('path'),
                 GITHUB_OUTPUT: file('output'), GITHUB_STEP_SUMMARY: file('summary'), npm_config_offline: 'true'};
    let r;
    let stdout = '';
    for (const step of action.runs.steps) {
      const env = Object.fromEntries(Object.entries(step.env).map(([name, value]) => [name, value.replace(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, i) => given[i])]));
      const added = fs.readFileSync(file('path'), 'utf8').split('\n').filter(Boolean);
      r = run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
        cwd: step['working-directory'] ? this.project : this.dir,
        env: plainEnv({...job, ...env, PATH: [...added, process.env.PATH].join(':')}),
      });
      stdout += r.stdout;
      if (r.code !== 0) break;
    }
    return {code: r.code, stdout, stderr: r.stderr, summary: fs.readFileSync(file('summary'), 'utf8'), output: fs.readFileSync(file('output'), 'utf8')};
  }
}

describe('the action', () => {
  const archives = [`vercel-sim-${version}.tgz`, `vercel-sim-${kSystem}-${version}.tgz`].map((name) => path.join(kDist, name)).join(' ');
  const clean = {'package.json': '{"dependencies": {"next": "16.4.6"}}', 'app/page.js': 'export default function Page() { return null; }\n'};
  const broken = {...clean, 'pages/api/socket.js': 'import {Server} from "socket.io";\nexport default (q, r) => { r.socket.server.io ??= new Server(r.socket.server); r.end(); };\n'};
  const server = {'server.js': 'require("http").createServer((q, r) => q.url === "/slow" ? setTimeout(() => r.end("late"), 60000) : r.end("fine")).listen(process.env.PORT);\n'};
  const app = '--app=node server.js\n--port=0\n--set=duration.default=1s';

  let hasTest;
  before(() => {
    hasTest = run(path.join(kDist, `vercel-sim-${kSystem}`), ['help', 'test']).code === 0;
  });

  test('check: nothing to find is 0, with a summary', (t) => {
    const r = new Job(t, clean).run({version: archives});
    assert.equal(r.code, 0, r.stdout + r.stderr);
    assert.equal(r.output, 'exit-code=0\n');
    assert.match(r.summary, /^### vercel-sim, profile `hobby`\n\n<details><summary>The sources: no error found<\/summary>/);
  });

  test('check: what will break is 2, an annotation with file and line, and in the summary', (t) => {
    const r = new Job(t, broken).run({version: archives});
    assert.equal(r.code, 2, r.stdout + r.stderr);
    assert.equal(r.output, 'exit-code=2\n');
    assert.match(r.stdout, /^::error file=pages\/api\/socket\.js,line=\d+/m);
    assert.match(r.summary, /<details open>[^]*pages\/api\/socket\.js/);
  });

  test('check: false leaves the sources alone', (t) => {
    const r = new Job(t, broken).run({version: archives, check: 'false'});
    assert.equal(r.code, 0, r.stdout + r.stderr);
  });

  test('an unknown profile is 64', (t) => {
    const r = new Job(t, clean).run({version: archives, profile: 'hobbby'});
    assert.equal(r.code, 64, r.stdout + r.stderr);
    assert.equal(r.output, 'exit-code=64\n');
  });

  test('version none, without a vercel-sim in PATH', (t) => {
    const r = new Job(t, clean).run({version: 'none'});
    assert.equal(r.code, 64);
    assert.match(r.stdout, /^::error::vercel-sim is not in PATH/);
  });

  for (const [what, command, code] of [
    ['a command that succeeds', 'curl --silent --fail "$BASE_URL/fast" | grep -q fine', 0],
    ['a command that fails with 7', 'echo "quotes \' and \\" stay"; exit 7', 7],
    ['a limit that strikes', 'curl --silent --output /dev/null "$BASE_URL/slow"', 2],
  ]) {
    test(`test: ${what}`, (t) => {
      if (!hasTest) return t.skip('this program has no command test');
      const r = new Job(t, {...clean, ...server}).run({version: archives, command, args: app});
      assert.equal(r.code, code, r.stdout + r.stderr);
      assert.equal(r.output, `exit-code=${code}\n`);
      assert.match(r.summary, code === 0 ? /^The tests: the command succeeded/m : new RegExp(`^The tests: exit code ${code}`, 'm'));
      return undefined;
    });
  }
});
