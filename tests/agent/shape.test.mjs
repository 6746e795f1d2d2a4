// The canary: how the hooked classes of Next call their methods, in each version. A minor that is not in this table was tried by nobody: try it with
// the matrix (tests/e2e/matrix.test.mjs) first, then add what its classes look like here and to src/agent/next/shape.cjs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { packagesOf, partsOf } from '../next_versions.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const kShape = resolve(here, '../../src/agent/next/shape.cjs');
const { strangeness, resolversOf } = createRequire(import.meta.url)(kShape);

// What handle() of a route handler's class reaches.
const kHandle = {
  '14.0': 'execute resolve staticGenerationBailout',
  '14.1': 'execute resolve staticGenerationBailout',
  '14.2': 'execute resolve',
  '15.0': 'do resolve',
  '15.1': 'do resolve',
  '15.2': 'do resolve',
  '15.3': 'do resolve',
  '15.4': 'do resolve',
  '15.5': 'do resolve',
  '16.0': 'do resolve',
  '16.1': 'do resolve',
  '16.2': 'do resolve resolveWithGetter',
  '16.3': 'do ensureUserland resolveHandler resolveHandlerFromUserland',
  '16.4':
    'ensureUserland executeRequest finalizeResponse handleHandlerError prepareExecution renderToResponse resolveHandler ' +
    'resolveHandlerFromUserland resolvePendingRevalidations validateExecutionResponse',
};
const combos = process.env.AGENT_SHAPES?.split(',') ?? ['16-turbopack', '14-webpack'];

// In a process of its own, as Next's server has it: its bundles look at the environment.
function shapesOf(folder, bundler) {
  const script = `
    const path = require('node:path');
    const { kShapes, reachedFrom, strangeness } = require(${JSON.stringify(kShape)});
    const next = path.dirname(require.resolve('next/package.json', { paths: [process.cwd()] }));
    require(path.join(next, 'dist/server/node-environment.js'));
    const out = {};
    for (const kind of ['app-route', 'app-page', 'pages', 'pages-api']) {
      let real;
      for (const at of ['server/route-modules', 'server/future/route-modules'])
        try { real ??= require(path.join(next, 'dist', at, kind, 'module.compiled.js')); } catch (error) { if (error.code !== 'MODULE_NOT_FOUND') throw error; }
      for (const name of Object.keys(kShapes)) {
        const prototype = real[name]?.prototype;
        if (prototype) out[name] = { reached: reachedFrom(prototype, kShapes[name].entry).join(' '), strange: strangeness(name, prototype) ?? null };
      }
    }
    console.log(JSON.stringify(out));`;
  const env = { ...process.env, NODE_ENV: 'development', __NEXT_DEV_SERVER: '1', TURBOPACK: bundler === 'turbopack' ? '1' : '' };
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { cwd: folder, env, encoding: 'utf8' }).trim().split('\n').at(-1));
}

for (const combo of combos) {
  test(`the hooked classes of ${combo} look as they are known`, () => {
    const folder = packagesOf(combo);
    const { version } = JSON.parse(readFileSync(join(folder, 'node_modules/next/package.json'), 'utf8'));
    const minor = version.split('.', 2).join('.');
    assert.ok(kHandle[minor], `nobody has tried Next ${minor} (${version})`);
    const shapes = shapesOf(folder, partsOf(combo).bundler);
    assert.deepEqual(Object.keys(shapes).sort(), ['AppPageRouteModule', 'AppRouteRouteModule', 'PagesAPIRouteModule', 'PagesRouteModule']);
    for (const [name, { reached, strange }] of Object.entries(shapes)) {
      assert.equal(strange, null, name);
      assert.equal(reached, name === 'AppRouteRouteModule' ? kHandle[minor] : '', name);
    }
  });
}

class Known {
  resolve() {}
  do(handler) {
    return handler();
  }
  handle() {
    return this.do(this.resolve());
  }
}

test('a class that asks for its handler otherwise is strange, and one that asks as it is known is not', () => {
  assert.equal(strangeness('AppRouteRouteModule', Known.prototype), undefined);
  class Renamed extends Known {
    handlerFor() {}
    handle() {
      return this.do(this.handlerFor());
    }
  }
  assert.match(strangeness('AppRouteRouteModule', Renamed.prototype), /asks for no handler/);
  class OneMore extends Known {
    handle(method) {
      return this.do(method ? this.handlerFor(method) : this.resolve());
    }
  }
  assert.match(strangeness('AppRouteRouteModule', OneMore.prototype), /handle\(\) calls handlerFor$/);
  class Gone {}
  assert.match(strangeness('AppRouteRouteModule', Gone.prototype), /no handle\(\)/);
  assert.match(strangeness('PagesRouteModule', Gone.prototype), /no render\(\)/);
  class Getter extends Known {
    async resolveWithGetter() {}
    resolvePendingRevalidations() {}
  }
  assert.deepEqual(resolversOf(Getter.prototype), ['resolveWithGetter']);
  assert.deepEqual(resolversOf(Known.prototype), ['resolve']);
});

// Next 16.2 with Turbopack: a handler that is asked for by a getter, after a promise.
test('a handler that comes as a promise begins when it is called, and not before', async () => {
  const told = [];
  const invocation = { page: '/api/slow/route', isWarming: false, began: 0, begin: () => told.push('begin'), setStatic: (value) => told.push(`static ${value}`) };
  const { handlerHooks } = createRequire(import.meta.url)('../../src/agent/shared/handlers.cjs')({
    guard: (_, action) => action(),
    lacks: (hook) => told.push(`lacks ${hook}`),
    invocations: { getStore: () => invocation },
    next: createRequire(import.meta.url)('../../src/agent/next/index.cjs').createNext({ dist: '/nowhere', role: 'instance', version: '16.2.0' }),
    storeHooks: [],
    noteHandled: () => told.push('handled'),
    options: { timeScale: 1 },
    isStaticRoute: (_, userland) => userland.dynamic === 'force-static',
  });
  class AppRouteRouteModule {
    async resolveWithGetter(method, getUserland) {
      return (await getUserland())[method];
    }
    do(handler) {
      told.push('do');
      return handler();
    }
    async handle(method, getUserland) {
      return this.do(await this.resolveWithGetter(method, getUserland));
    }
  }
  const [, hook] = handlerHooks[0];
  hook({ AppRouteRouteModule });
  const userland = { dynamic: 'force-static', GET: () => (told.push('user'), 'answer') };
  assert.equal(await new AppRouteRouteModule().handle('GET', async () => userland), 'answer');
  assert.deepEqual(told, ['handled', 'static true', 'do', 'begin', 'user']);

  class Other {
    async pick() {}
    async handle() {
      return (await this.pick())();
    }
  }
  hook({ AppRouteRouteModule: Other });
  assert.deepEqual(told.slice(5), ['lacks AppRouteRouteModule', 'lacks AppRouteRouteModule']);
});

const kOfFolder = ['kDynamic', 'kRouteModules', 'kRequireCache', 'tags']; // what its files ask each other

// Whatever version it is, the parts find what they ask for, and what nobody is to ask for is not there.
test('each adapter answers what interface.d.ts says, and nothing else', () => {
  const { createNext } = createRequire(import.meta.url)('../../src/agent/next/index.cjs');
  const text = readFileSync(resolve(here, '../../src/agent/next/interface.d.ts'), 'utf8');
  const of = (name) => {
    const [, base, body] = new RegExp(`^export interface ${name}(?: extends (\\w+))? \\{\n([^]*?)\n\\}`, 'm').exec(text);
    return [...(base ? of(base) : []), ...[...body.matchAll(/^ {2}(\w+)[(:]/gm)].map(([, member]) => member)];
  };
  const known = new Set([...of('NextInDev'), ...of('NextInInstance'), ...kOfFolder]);
  for (const version of ['14.0.4', '14.2.35', '15.0.0', '15.5.0', '16.0.0', '16.4.6', '17.0.0'])
    for (const [role, name] of Object.entries({ dev: 'NextInDev', instance: 'NextInInstance' })) {
      const names = Object.keys(createNext({ dist: '/nowhere', role, version }));
      assert.deepEqual(of(name).filter((one) => !names.includes(one)), [], `${version} ${role}`);
      assert.deepEqual(names.filter((one) => !known.has(one)), [], `${version} ${role}`);
    }
});
