// Small parts of the agent that need no Next: requests of the app to itself (own-requests.cjs), where an instance died (death.cjs), names of files (paths.cjs).
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);

describe('requests of the app to itself', () => {
  test('one in any mode goes to the plain port whole, though fetch refuses to copy one of a navigation', async () => {
    const real = globalThis.fetch;
    const asked = [];
    globalThis.fetch = async (input) => asked.push(input);
    try {
      const sim = { invocations: new AsyncLocalStorage(), options: { publicPort: 3000, isHttps: false } };
      require('../../src/agent/instance/own-requests.cjs')(sim).hookOwnRequests();
      for (const mode of ['cors', 'navigate']) {
        const request = new Request('https://localhost:3000/api/a?b=c', { method: 'POST', headers: { 'x-a': '1' }, body: 'text', redirect: 'manual' });
        Object.defineProperty(request, 'mode', { value: mode });
        await fetch(request);
        const got = asked.at(-1);
        assert.deepEqual([got.url, got.method, got.headers.get('x-a'), got.redirect, await got.text()], ['http://localhost:3000/api/a?b=c', 'POST', '1', 'manual', 'text']);
      }
    } finally {
      globalThis.fetch = real;
    }
  });
});

describe('where an instance died', () => {
  const sim = { isUserCode: (file) => file.includes('/.next/') || file.startsWith('webpack-internal:'), originalPosition: (at) => at };
  const { sourceOf } = require('../../src/agent/instance/death.cjs')(sim);

  for (const [frame, expected] of [
    ['at GET (/home/a/My Apps (old)/.next/server/chunks/[root of the server]__5827._.js:54:11)', '/home/a/My Apps (old)/.next/server/chunks/[root of the server]__5827._.js:54:11'],
    ['at async /home/a/My Apps/.next/server/x.js:5:1', '/home/a/My Apps/.next/server/x.js:5:1'],
    ['at Object.<anonymous> (webpack-internal:///(rsc)/./app/api/x/route.js:8:11)', 'webpack-internal:///(rsc)/./app/api/x/route.js:8:11'],
    ['at new Room [as made] (file:///home/a/.next/server/x.js:5:1)', 'file:///home/a/.next/server/x.js:5:1'],
  ]) {
    test(frame, () => assert.equal(sourceOf(`Error: no\n    at Socket.emit (node:events:518:28)\n    ${frame}\n    at run (/home/a/node_modules/next/x.js:1:1)`), expected));
  }

  test('nowhere in the user\'s code', () => assert.equal(sourceOf('Error: no\n    at run (/home/a/node_modules/next/x.js:1:1)\n    at <anonymous>'), undefined));
});

describe('what cannot be looked at', () => {
  const { linkStatOf, realOf, statOf } = require('../../src/agent/shared/paths.cjs');

  test('is as what is not there: names that are too long or no path, links that lead to themselves', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vs-'));
    const loop = path.join(folder, 'loop');
    symlinkSync(loop, loop);
    try {
      for (const file of [`/tmp/${'x'.repeat(400)}`, '/tmp/a\0b', path.join(loop, 'a'), '/dev/null/a', path.join(folder, 'none')])
        for (const look of [linkStatOf, realOf, statOf]) assert.equal(look(file), undefined, file.slice(0, 20));
      assert.ok(linkStatOf(loop).isSymbolicLink());
      assert.equal(statOf(loop), undefined);
      assert.ok(statOf(folder).isDirectory());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('nobody is told of a name in /tmp that no file can have', () => {
    const { namesInTmp } = require('../../src/agent/dev/tmp-names.cjs');
    assert.deepEqual(namesInTmp({ A: `/tmp/.X-${'9'.repeat(400)}` }, []), { entries: [], standIns: [], shared: undefined });
  });
});
