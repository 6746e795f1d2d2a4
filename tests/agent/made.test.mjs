// What is kept of an answer that is made at build (flight.cjs), and what tracing finds (trace.cjs, with the newest Next that is installed here).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { keptOf } = require('../../src/agent/next/flight.cjs');
const { tagsOf } = require('../../src/agent/next/names.cjs');
const { keyOf } = require('../../src/agent/shared/made-key.cjs');
const frozen = require('../../src/agent/dev/frozen.cjs');
const base = mkdtempSync(path.join(tmpdir(), 'vsim-made-'));
after(() => rmSync(base, { recursive: true, force: true }));

const html = (...rows) => `<html><body>${rows.map((row) => `<script>self.__next_f.push(${JSON.stringify([1, row])})</script>`).join('')}</body></html>`;
// As 16 writes it: owners, stacks and timings beside what a deployment would keep.
const page = ({ note = 'first', id = 'a1', time = '1.5', stack = 7, chunk = 'x', lucky = 'L', flag = true } = {}) =>
  html(
    `:N${time}\n2:{"name":"Page","env":"Server","stack":[["Page","/p.js",${stack},1]],"props":{}}\n`,
    `1:D"$2"\n3:I["[project]/lucky.js",["/_next/static/chunks/${chunk}.js"],"Lucky"]\n4:{"children":["$","li","k","$5","$2",[],1]}\n5:{"children":"${note}"}\n`,
    `6:T${Buffer.byteLength('é\n1:"x"').toString(16)},é\n1:"x"`,
    `0:{"b":"${time}","f":[["$","div",null,{"id":"${id}","children":[["$","$${lucky}3",null,{"flag":${flag}},"$2","$8",1],["$","ul",null,"$4"],"$6"]},"$2",["stack ${stack}"],1]]}\n`,
  );

describe('what is kept of a document', () => {
  test('is what server components say and give to client components', () => {
    assert.notEqual(keptOf(page()), keptOf(page({ note: 'second' })));
    assert.notEqual(keptOf(page()), keptOf(page({ flag: false })));
  });
  test('is not what only a dev server says, nor ids of elements, names of files and nonces', () => {
    assert.equal(keptOf(page()), keptOf(page({ id: 'b2', time: '2.25', stack: 99, chunk: 'y' })));
    assert.ok(keptOf(page()));
  });
  test('is not known where there is no payload, an error in it, or one that cannot be read', () => {
    assert.equal(keptOf('<p>hello</p>'), undefined);
    assert.equal(keptOf(html('0:["$","$L1",null,{}]\n1:E{"digest":"1"}\n')), undefined);
    assert.equal(keptOf(html('0:["$","p",\n')), undefined);
    assert.equal(keptOf('<script>self.__next_f.push([3,"AA=="])</script>'), undefined);
  });
  test('ends where rows refer to each other, and a part of a row is what stands there', () => {
    assert.ok(keptOf(html('0:["$1"]\n1:["$0","$1"]\n')));
    const part = (text) => keptOf(html(`0:["$1:0:props:children","$1"]\n1:[["$","p",null,{"children":"${text}"}]]\n`));
    assert.notEqual(part('a'), part('b'));
  });
});

const next = ['16', '15', '14'].map((major) => fileURLToPath(new URL(`./next${major}/node_modules`, import.meta.url))).find((one) => existsSync(path.join(one, 'next/package.json')));

describe('tracing', { skip: !next && 'no Next in tests/agent/next16' }, () => {
  function missing(files, asked, more = {}) {
    const dir = mkdtempSync(path.join(base, 'app'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      writeFileSync(path.join(dir, name), text);
    }
    symlinkSync(next, path.join(dir, 'node_modules'));
    const question = {
      nextDist: path.join(next, 'next/dist'), dir, distDir: '.next/dev', page: '/mail/[id]/route', kind: 'APP_ROUTE', entry: 'app/mail/[id]/route.ts', includes: {}, excludes: {}, ...more,
      asked: asked.map((name) => ({ name, file: path.join(dir, name), directory: !path.extname(name) })),
    };
    const done = spawnSync(process.execPath, [fileURLToPath(new URL('../../src/agent/shared/trace.cjs', import.meta.url))], { input: JSON.stringify(question), encoding: 'utf8', timeout: 120_000 });
    assert.equal(done.status, 0, done.stderr);
    const { route, missing: all } = JSON.parse(done.stdout);
    assert.equal(route, '/mail/\\[id\\]');
    return all.map(({ name, excluded }) => (excluded ? `${name} (excluded)` : name));
  }
  const app = {
    'tsconfig.json': '{ // comment\n  "compilerOptions": { "paths": { "@/*": ["./*"] } } }',
    'lib/mail.ts': 'import { readFile } from "node:fs/promises";\nimport path from "node:path";\nconst parts = (name: string): string[] => ["templates", name];\n'
      + 'export const template = (name: string) => readFile([process.cwd(), ...parts(name)].join("/"), "utf8");\nexport const post = (slug: string) => readFile(path.join(process.cwd(), "posts", `${slug}.md`), "utf8");\n',
    'app/mail/[id]/route.ts': 'import { post, template } from "@/lib/mail";\nexport async function GET() { return new Response((await template("a.html")) + (await post("b"))); }\n',
    'app/other/route.tsx': 'import fs from "fs";\nimport { join } from "path";\nexport function GET() { return new Response(fs.readFileSync(join(process.cwd(), "data/one.json"))); }\n',
    'app/page.tsx': 'import fs from "fs";\nexport default function Page() { return <p>{fs.readFileSync("./page.txt", "utf8")}</p>; }\n',
    'templates/a.html': '', 'posts/b.md': '', 'data/one.json': '{}', 'data/two.json': '{}', 'page.txt': '',
  };
  test('finds what the sources join, through aliases and TypeScript, and what another function of the kind has', () => {
    assert.deepEqual(missing(app, ['templates/a.html', 'posts/b.md', 'posts', 'data/one.json', 'data/two.json', 'page.txt']), ['templates/a.html', 'data/two.json', 'page.txt']);
  });
  test('takes what next.config includes and leaves out what it excludes', () => {
    const more = { includes: { '/mail/*': ['./templates/**/*'] }, excludes: { '/mail/*': ['posts/**'] } };
    assert.deepEqual(missing(app, ['templates/a.html', 'templates', 'posts/b.md', 'data/two.json'], more), ['posts/b.md (excluded)', 'data/two.json']);
  });
  test('knows an earlier build', () => {
    const built = { '.next/server/app/mail/[id]/route.js.nft.json': JSON.stringify({ version: 1, files: ['../../../../../templates/a.html'] }) };
    assert.deepEqual(missing({ ...app, ...built }, ['templates/a.html']), []);
  });
});

describe('what is frozen', () => {
  const made = (more = {}) => ({ key: keyOf('/blog/[slug]/page', '/blog/a?x=1', {}), status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('first').toString('base64'), every: 0, tags: tagsOf('/blog/[slug]/page', '/blog/a'), files: ['/app/a.js'], path: '/blog/a', ...more });
  const ask = (store, { url = '/blog/a', method = 'GET', headers = {} } = {}) => {
    const res = new http.ServerResponse({ method, headers });
    res.write = res.end = () => assert.fail('past whatever wraps it');
    const answered = store.answerFrozen({ url, method, headers }, res, '/blog/[slug]/page');
    return answered ? res.statusCode : undefined;
  };
  const store = () => frozen({ options: { timeScale: 1 } });

  test('the first answer stays, for its path whatever the query, and not for the client\'s router', () => {
    const one = store();
    assert.equal(ask(one), undefined);
    one.freeze(made());
    one.freeze(made({ status: 500 }));
    assert.equal(ask(one), 200);
    assert.equal(ask(one, { url: '/blog/a?y=2' }), 200);
    assert.equal(ask(one, { url: '/blog/b' }), undefined);
    assert.equal(ask(one, { headers: { rsc: '1' } }), undefined);
    assert.equal(ask(one, { method: 'HEAD' }), undefined);
    assert.equal(ask(one, { headers: { cookie: '__prerender_bypass=x' } }), undefined);
  });

  test('until its time is over, its path, layout or tag is revalidated, a source of it is compiled anew, or it is switched off', () => {
    for (const thaw of [
      (one) => one.thawTag('_N_T_/blog/a'),
      (one) => one.thawTag('_N_T_/layout'),
      (one) => one.thawTag('_N_T_/blog/[slug]/page'),
      (one) => one.thawFiles({ files: ['/app/a.js'] }),
      (one) => one.thawFiles({ all: true }),
      (one) => one.thaw(),
      (one) => ask(one, { method: 'HEAD', headers: { 'x-prerender-revalidate': 'secret' } }),
    ]) {
      const one = store();
      one.freeze(made());
      one.thawTag('_N_T_/other');
      one.thawFiles({ files: ['/app/b.js'] });
      assert.equal(ask(one), 200, String(thaw));
      thaw(one);
      assert.equal(ask(one), undefined, String(thaw));
    }
    const short = store();
    short.freeze(made({ every: 1e-9 }));
    assert.equal(ask(short), undefined);
  });

  test('what may still show the stale entry of a tag is not kept, the one after it is', () => {
    const one = store();
    one.freeze(made({ tags: ['notes'] }));
    one.thawTag('notes', { stale: Date.now() });
    one.freeze(made());
    assert.equal(ask(one), undefined);
    one.freeze(made());
    assert.equal(ask(one), 200);
  });
});
