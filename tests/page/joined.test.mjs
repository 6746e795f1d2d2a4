// cmake/page.cmake joins the modules into one: what that takes for granted.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const dir = fileURLToPath(new URL('../../src/page/', import.meta.url));
const order = /vsim_page\(\S+ \S+ ([^)]*)\)/.exec(fs.readFileSync(path.join(dir, '../../CMakeLists.txt'), 'utf8'))[1].split(' ');

test('every module is joined, after those that it imports', () => {
  assert.deepEqual([...order].sort(), fs.readdirSync(dir).filter((f) => f.endsWith('.mjs')).sort());
  order.forEach((name, i) => {
    for (const [line] of fs.readFileSync(path.join(dir, name), 'utf8').matchAll(/^import .*$/gm))
      assert.ok(order.slice(0, i).includes(/from '\.\/(.*)';$/.exec(line)?.[1]), `${name}: ${line}`);
  });
});

test('a name stands for one thing in all of them, and no import is renamed', () => {
  const seen = new Map();
  for (const name of order) {
    const text = fs.readFileSync(path.join(dir, name), 'utf8');
    for (const [, list] of text.matchAll(/^(?:export )?(?:async )?(?:const|let|function|class) (\{[^}]*\}|[\w$]+(?: = [^;]*)?)/gm)) {
      for (const [word] of [...list.split(' = ')[0].matchAll(/[\w$]+/g)]) {
        assert.ok(!seen.has(word), `${word} stands in ${seen.get(word)} and in ${name}`);
        seen.set(word, name);
      }
    }
    assert.doesNotMatch(text, /^import .* as /m, name);
    assert.doesNotMatch(text, /^export (default|\{)/m, name);
  }
});
