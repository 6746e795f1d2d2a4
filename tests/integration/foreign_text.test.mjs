// Text and files that are not ours: what a source, a name or an app writes drives neither a terminal nor the log of a CI system; outputs are for
// their owner's eyes, follow no link, and overwrite nothing that is not ours; a secret of the command line is in none of them.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';
import {nextProject, program, tempDir, write} from './program.mjs';

const kApp = `require('node:http').createServer((q, r) => {
  process.stdout.write('\\u001b]0;owned\\u0007\\u009b2Jsaid \\b\\b\\u202e##[error]x\\n::error::forged\\n');
  r.end('ok');
}).listen(Number(process.env.PORT));
`;
const kAsk = [process.execPath, '-e', `require('node:http').get(process.env.BASE_URL, {agent: false}, (r) => r.resume())`];
const kDrives = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]|##\[|^\s*::/m;

const tested = (t, args, command = kAsk) => {
  const dir = write(tempDir(t), {'app.cjs': kApp});
  return Object.assign(program(t, ['test', '--port', '0', '--no-color', '--app', 'exec node app.cjs', ...args, '--', ...command], {cwd: dir}), {dir});
};

describe('text of others', {concurrency: 4}, () => {
  test('check: sources and names', async (t) => {
    const name = '::set-output name=x::y';
    const dir = write(tempDir(t), {
      ...nextProject(),
      [`app/${name}/route.ts`]: 'let n = 0; /*\r::error::a \u001b]0;title\u0007 \u009b2J \u202e ##[error]b*/\nexport function GET() { n += 1; return Response.json({n}); }\n',
    });
    const sim = program(t, ['check', '--no-color'], {cwd: dir});
    await sim.end();
    assert.match(sim.stdout, /module-level-mutable-state/);
    assert.match(sim.stdout, /^ {2}1 \| let n = 0; \/\*\?::error::a \?\]0;title\? \?2J \? ## \[error\]b\*\/$/m);
    assert.doesNotMatch(sim.stdout, kDrives);
  });

  test('doctor: package.json', async (t) => {
    const files = nextProject();
    const dir = write(tempDir(t), {...files, 'package.json': JSON.stringify({...JSON.parse(files['package.json']), name: 'x\u001b[2J\u009b31m'})});
    const sim = program(t, ['doctor'], {cwd: dir});
    await sim.end();
    assert.match(sim.stdout, /x\?\[2J\?31m/);
    assert.doesNotMatch(sim.stdout, kDrives);
  });

  test('a vercel-sim.yaml that is wrong', async (t) => {
    const dir = write(tempDir(t), {'app.cjs': kApp, 'vercel-sim.yaml': '::set-output name=x: [\n##vso[task.x]y\u202e\n'});
    const sim = program(t, ['test', '--port', '0', '--app', 'exec node app.cjs', '--', 'true'], {cwd: dir});
    assert.equal((await sim.end()).code, 64, sim.text);
    assert.match(sim.stderr, /^ {2}\d \| /m);
    assert.doesNotMatch(sim.stderr, kDrives);
    assert.doesNotMatch(sim.stderr, /##\w+\[/);
  });

  test('the app’s lines after a test that failed', async (t) => {
    const sim = tested(t, [], ['sh', '-c', `${kAsk.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}; exit 1`]);
    assert.equal((await sim.end()).code, 1, sim.text);
    assert.match(sim.stderr, /^ {2}\| \?2Jsaid \?\?\?## \[error\]x$/m);
    assert.match(sim.stderr, /^ {2}\| \| ::error::forged$/m);
    assert.doesNotMatch(sim.stderr, kDrives);
  });
});

describe('outputs', {concurrency: 4}, () => {
  const all = ['--events', 'out/e.jsonl', '--html', 'out/r.html', '--junit', 'out/r.xml', '--json', 'out/r.json', '--sarif', 'out/r.sarif'];
  const names = all.filter((word) => word.startsWith('out/'));

  test('mode 0600, and the next run takes their places', async (t) => {
    const first = tested(t, all);
    fs.mkdirSync(path.join(first.dir, 'out'));
    assert.equal((await first.end()).code, 0, first.text);
    const ids = names.map((name) => fs.statSync(path.join(first.dir, name)));
    for (const [i, name] of names.entries()) assert.equal(ids[i].mode & 0o777, 0o600, name);
    const again = program(t, ['test', '--port', '0', '--app', 'exec node app.cjs', ...all, '--', ...kAsk], {cwd: first.dir});
    assert.equal((await again.end()).code, 0, again.text);
    for (const name of names) assert.ok(fs.statSync(path.join(first.dir, name)).size > 0, name);
  });

  test('a pipe of somebody else is not written to', async (t) => {
    if (process.getuid() !== 0) return t.skip('it takes another user');
    const dir = write(tempDir(t), {'app.cjs': kApp});
    spawnSync('mkfifo', [path.join(dir, 'pipe')]);
    fs.chownSync(path.join(dir, 'pipe'), 65534, 65534);
    const sim = program(t, ['test', '--port', '0', '--app', 'exec node app.cjs', '--events', 'pipe', '--', ...kAsk], {cwd: dir});
    assert.equal((await sim.end()).code, 64, sim.text);
    assert.match(sim.stderr, /somebody else's/);
  });

  for (const [option, name] of [['--events', 'e'], ['--html', 'h'], ['--json', 'j'], ['--junit', 'x'], ['--sarif', 's']]) {
    test(`${option}: a link and a file that is not ours stay as they are`, async (t) => {
      for (const [kind, place, words] of [['linked', 'link', /a symbolic link/], ['package.json', 'package.json', /a file that vercel-sim has not written/]]) {
        const dir = write(tempDir(t), {'app.cjs': kApp, 'package.json': '{"name": "mine"}\n', target: 'mine\n'});
        fs.symlinkSync('target', path.join(dir, 'link'));
        const sim = program(t, ['test', '--port', '0', '--app', 'exec node app.cjs', option, place, '--', ...kAsk], {cwd: dir});
        assert.notEqual((await sim.end()).code, 0, `${name} ${kind}`);
        assert.match(sim.stderr, words);
        assert.equal(fs.readFileSync(path.join(dir, 'target'), 'utf8'), 'mine\n');
        assert.equal(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'), '{"name": "mine"}\n');
      }
    });
  }

  test('secrets of the command line are in none of them, nor in the summary', async (t) => {
    const sim = tested(t, ['--events', 'e.jsonl', '--junit', 'r.xml', '--json', 'r.json', '--html', 'r.html'],
      ['env', 'API_TOKEN=hunter2', ...kAsk.slice(0, 2), kAsk[2], '--', '--api-key', 'hunter2', '--password=hunter2', 'redis://me:hunter2@db/0',
        '-H', 'Authorization: Bearer hunter2', '-u', 'me:hunter2', '--data={"password": "hunter2"}', 'export A_KEY=hunter2; x --token hunter2']);
    assert.equal((await sim.end()).code, 0, sim.text);
    for (const name of ['e.jsonl', 'r.xml', 'r.json', 'r.html']) assert.doesNotMatch(fs.readFileSync(path.join(sim.dir, name), 'utf8'), /hunter2/, name);
    assert.doesNotMatch(sim.text, /hunter2/);
    assert.match(sim.stderr, /API_TOKEN=\*\*\*/);
  });
});

describe('files that have no end', {concurrency: 4}, () => {
  const pipe = (dir, name) => {
    assert.equal(spawnSync('mkfifo', [path.join(dir, name)]).status, 0);
    return name;
  };
  const refused = async (t, args, why, dir = tempDir(t)) => {
    const sim = program(t, args, {cwd: dir});
    assert.equal((await sim.end()).code, 64, sim.text);
    assert.match(sim.stderr, why);
  };

  for (const args of [['report'], ['replay']]) {
    test(`${args[0]}: a pipe and a device that the command line names`, async (t) => {
      const dir = tempDir(t);
      for (const name of [pipe(dir, 'pipe.jsonl'), '/dev/zero']) await refused(t, [...args, name], /not a regular file/, dir);
    });
  }

  test('profiles', async (t) => {
    const dir = tempDir(t);
    for (const name of [`./${pipe(dir, 'pipe.yaml')}`, '/dev/zero'])
      for (const args of [['check', '--profile', name], ['profiles', 'show', name], ['run', '--profile', name, '--app', 'true']]) await refused(t, args, /cannot read the file/, dir);
  });

  test('those of a project: check passes by, doctor too, and a configuration is refused', async (t) => {
    const dir = write(tempDir(t), {...nextProject(), 'app/page.tsx': 'export default function Page() { return null; }\n', 'app/api/x.ts': ''});
    for (const name of ['vercel.json', '.env', 'tsconfig.json', 'next.config.mjs', 'app/api/route.ts']) {
      fs.rmSync(path.join(dir, name), {force: true});
      pipe(dir, name);
    }
    for (const command of ['check', 'doctor']) {
      const sim = program(t, [command], {cwd: dir});
      assert.notEqual((await sim.end()).code, null, sim.text);
    }
    pipe(dir, 'vercel-sim.yaml');
    await refused(t, ['test', '--', 'true'], /vercel-sim\.yaml: cannot be read/, dir);
  });

  // The mistakes of a file are shown with its lines, and the log of a pull request is read by whoever sent it.
  test('what a repository names outside of itself is not read', async (t) => {
    const top = write(tempDir(t), {'secret': 'QZSECRETZQ\n', 'repository/.git/HEAD': '', 'repository/shared.yaml': 'extends: hobby\n', 'repository/app/package.json': '{}'});
    const dir = path.join(top, 'repository/app');
    const config = path.join(dir, 'vercel-sim.yaml');
    const says = async (args, code, words) => {
      const sim = program(t, args, {cwd: dir});
      assert.equal((await sim.end()).code, code, sim.text);
      assert.match(sim.text, words);
      assert.doesNotMatch(sim.text, /QZSECRETZQ/);
    };
    for (const [target, words] of [['../../secret', /a link out of the repository .*\/repository is not read/], ['../shared.yaml', /unknown key "extends"/]]) {
      fs.symlinkSync(target, config);
      await says(['check'], 64, words);
      fs.rmSync(config);
    }
    for (const named of ['../../secret', './inside.yaml']) {
      fs.symlinkSync('../../secret', path.join(dir, 'inside.yaml'));
      fs.writeFileSync(config, `profile: ${named}\n`);
      await says(['check'], 64, /profile: .* lies outside of the repository .*\/repository\n {2}fix: name it on the command line/);
      fs.rmSync(path.join(dir, 'inside.yaml'));
    }
    for (const base of ['../../secret', path.join(top, 'secret')]) {
      fs.writeFileSync(path.join(dir, 'mine.yaml'), `extends: ${base}\n`);
      fs.writeFileSync(config, 'profile: mine.yaml\n');
      await says(['check'], 64, /extends: cannot read the file .*\n[^]* lies outside of the repository/);
    }
    fs.writeFileSync(path.join(dir, 'mine.yaml'), 'extends: ../shared.yaml\n');
    await says(['check'], 0, /profile mine/);
  });
});
