// Which function a request is of when its route does not compile: the adapter that finds it, with the classes of Next that match routes (14 and 15; from 16
// on Next's router says it), and a compiler that always fails.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { packagesOf, partsOf } from '../next_versions.mjs';

const require = createRequire(import.meta.url);
const combos = process.env.AGENT_SHAPES?.split(',') ?? ['15-turbopack', '14-webpack'];
const kProject = '/project';
const kFiles = { app: ['torn/route.js', 'users/[id]/route.js'], pages: ['api/old.js'] };

// Next's own managers over the files of a project that is nowhere.
function matchersOf(folder, failure) {
  const dist = join(folder, 'node_modules/next/dist/server');
  const base = existsSync(join(dist, 'route-matcher-managers')) ? dist : join(dist, 'future');
  const { DevRouteMatcherManager } = require(join(base, 'route-matcher-managers/dev-route-matcher-manager.js'));
  const { DefaultRouteMatcherManager } = require(join(base, 'route-matcher-managers/default-route-matcher-manager.js'));
  const { DevAppRouteRouteMatcherProvider } = require(join(base, 'route-matcher-providers/dev/dev-app-route-route-matcher-provider.js'));
  const { DevPagesAPIRouteMatcherProvider } = require(join(base, 'route-matcher-providers/dev/dev-pages-api-route-matcher-provider.js'));
  const reader = { read: async (dir) => kFiles[dir.split('/').at(-1)].map((name) => join(dir, name)) };
  const matchers = new DevRouteMatcherManager(new DefaultRouteMatcherManager(), { ensure: async () => Promise.reject(failure) }, kProject);
  matchers.push(new DevAppRouteRouteMatcherProvider(`${kProject}/app`, ['js'], reader, false));
  matchers.push(new DevPagesAPIRouteMatcherProvider(`${kProject}/pages`, ['js'], reader));
  return matchers;
}

for (const combo of combos.filter((one) => partsOf(one).major < 16)) {
  test(`${combo}: a route that does not compile is the function that it is, whoever has met the error first`, async () => {
    const failure = new Error('it does not compile');
    let error = failure;
    const next = require('../../src/agent/next/index.cjs').createNext({ dist: join(packagesOf(combo), 'node_modules/next/dist'), role: 'dev' });
    const server = { matchers: matchersOf(packagesOf(combo), failure), nextConfig: {} };
    const find = async (url, meta) => {
      const { page, kind } = await next.findFunction({ url, headers: {} }, { meta, server, errorOf: async () => error, pathOf: (given) => given.split('?', 1)[0] });
      return `${kind} ${page}`;
    };
    const askedFor500 = { invokeStatus: 500, invokePath: '/500' };
    for (const meta of [{}, askedFor500]) {
      assert.equal(await find('/torn?a=1', meta), 'APP_ROUTE /torn/route');
      assert.equal(await find('/api/old', meta), 'PAGES_API /api/old');
      assert.equal(await find('/users/7', { ...meta, ...(meta.invokeStatus ? {} : { invokeOutput: '/users/[id]' }) }), 'APP_ROUTE /users/[id]/route');
    }
    assert.equal(await find('/nowhere', askedFor500), 'PAGES /_error');
    assert.equal(await find('/torn', { invokeStatus: 404, invokePath: '/404' }), 'PAGES /404');
    error = undefined; // middleware has failed, say
    assert.equal(await find('/torn', askedFor500), 'PAGES /_error');
  });
}
