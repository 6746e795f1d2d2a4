// What a handler reaches in the memory of modules (scopes.cjs), by the shapes that bundlers give to modules.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);

describe('what a handler reaches in the memory of modules', () => {
  // Of the shape of a database's client: a class of a package that Node loads itself, which leads to hundreds of functions and holds a large buffer.
  const kClient = `const table = new Map();
${Array.from({ length: 200 }, (_, i) => `function f${i}() { table.set(${i}, 1); return f${(i + 1) % 200}(); }`).join('\n')}
class Client { constructor() { this.bytes = Buffer.alloc(20 << 20); this.run = () => f0(); } connect() { return f0(); } }
module.exports = { Client };
`;
  const kChunk = `const { Client } = require('client');
module.exports = ['[project]/app/api/a/route.js', (__turbopack_context__) => {
  const client = new Client();
  const rooms = new Map();
  class Counter { add() { seen.push(1); } }
  const seen = [];
  const counter = new Counter();
  return async function GET() { rooms.set(1, 2); counter.add(); return client.connect(); };
}];
`;

  // As Turbopack puts a package and the modules that import it into one file.
  const kBundled = `module.exports = [
"[project]/node_modules/kit/index.js [app-route] (ecmascript)", ((context) => {
const warned = new Set();
class Kit { warn(text) { warned.add(text); } }
context.Kit = Kit;
}),
"[project]/lib/carts.ts [app-route] (ecmascript)", ((context) => {
var __TURBOPACK__imported__module__$5b$project$5d2f$node_modules$2f$kit$2f$index$2e$js__$5b$app$2d$route$5d$__$28$ecmascript$29$__ = context;
const totals = new Map();
class Carts {
  kit = new __TURBOPACK__imported__module__$5b$project$5d2f$node_modules$2f$kit$2f$index$2e$js__$5b$app$2d$route$5d$__$28$ecmascript$29$__["Kit"]();
  add(id) { totals.set(id, 1); }
}
context.carts = new Carts();
context.kit = new __TURBOPACK__imported__module__$5b$project$5d2f$node_modules$2f$kit$2f$index$2e$js__$5b$app$2d$route$5d$__$28$ecmascript$29$__["Kit"]();
}),
"[project]/app/api/a/route.ts [app-route] (ecmascript)", ((context) => {
var __TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$carts$2e$ts__$5b$app$2d$route$5d$__$28$ecmascript$29$__ = context;
context.GET = function GET() {
  __TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$carts$2e$ts__$5b$app$2d$route$5d$__$28$ecmascript$29$__["carts"].add(1);
  __TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$carts$2e$ts__$5b$app$2d$route$5d$__$28$ecmascript$29$__["kit"].warn("no");
};
})];
`;
  // And webpack: each module a text that is evaluated, with its require around it.
  const kWebpack = `const modules = {
"(rsc)/./node_modules/kit/index.js": (module, exports, __webpack_require__) => { eval(${JSON.stringify('const warned = new Set();\nclass Kit { warn(text) { warned.add(text); __webpack_require__; } }\nexports.Kit = Kit;')}); },
"(rsc)/./lib/carts.ts": (module, exports, __webpack_require__) => { eval(${JSON.stringify('const kit__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__("(rsc)/./node_modules/kit/index.js");\nconst totals = new Map();\nclass Carts { kit = new kit__WEBPACK_IMPORTED_MODULE_0__.Kit(); add(id) { totals.set(id, 1); __webpack_require__; } }\nexports.carts = new Carts();\nexports.kit = new kit__WEBPACK_IMPORTED_MODULE_0__.Kit();')}); },
"(rsc)/./app/api/a/route.ts": (module, exports, __webpack_require__) => { eval(${JSON.stringify('var _lib_carts__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(/*! @/lib/carts */ "(rsc)/./lib/carts.ts");\nexports.GET = function GET() { _lib_carts__WEBPACK_IMPORTED_MODULE_0__.carts.add(1); _lib_carts__WEBPACK_IMPORTED_MODULE_0__.kit.warn("no"); __webpack_require__; };')}); },
};
const made = {};
function __webpack_require__(id) {
  if (!made[id]) modules[id]({}, (made[id] = {}), __webpack_require__);
  return made[id];
}
__webpack_require__.m = modules;
module.exports = { GET: __webpack_require__("(rsc)/./app/api/a/route.ts").GET };
`;

  const inChunk = async (text, files, look) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vs-reach-'));
    const { _compile } = Module.prototype;
    try {
      for (const [name, content] of Object.entries({ ...files, '.next/server/a.js': text })) {
        mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
        writeFileSync(path.join(dir, name), content);
      }
      const sim = { boot: { options: { dir }, config: { distDir: '.next' } } };
      Object.assign(sim, require('../../src/agent/shared/loaded.cjs')(sim));
      sim.hookLoaded();
      await look(require('../../src/agent/shared/scopes.cjs')(sim), require(path.join(dir, '.next/server/a.js')));
    } finally {
      Module.prototype._compile = _compile;
      rmSync(dir, { recursive: true, force: true });
    }
  };

  test('its own variables, those of its classes, and no code of packages', () =>
    inChunk(kChunk, { 'node_modules/client/index.js': kClient }, ({ reach, read }, chunk) => {
      const bindings = reach(chunk[1](), 'app/api/a/route.js').bindings;
      assert.deepEqual(bindings.map(({ name }) => name).sort(), ['client', 'counter', 'rooms', 'seen']);
      const [rooms] = read(bindings.filter(({ name }) => name === 'rooms'));
      assert.equal(rooms instanceof Map, true);
    }));

  test('a class of the user\'s whose module imports a package, with Turbopack: its own, and not the package\'s', () =>
    inChunk(kBundled, {}, ({ reach }, chunk) => {
      const context = {};
      for (const factory of chunk.filter((one) => typeof one === 'function')) factory(context);
      const { bindings } = reach(context.GET, 'app/api/a/route.ts');
      assert.deepEqual(bindings.map(({ name, key, file }) => `${key ?? name} in ${file}`).sort(), ['carts in lib/carts.ts', 'kit in lib/carts.ts', 'totals in lib/carts.ts']);
    }));

  test('and with webpack', () =>
    inChunk(kWebpack, {}, ({ reach }, { GET }) => {
      const { bindings } = reach(GET, 'app/api/a/route.ts');
      assert.deepEqual(bindings.map(({ name, key, file }) => `${key ?? name} in ${file}`).sort(), ['carts in lib/carts.ts', 'kit in lib/carts.ts', 'totals in lib/carts.ts']);
    }));

  // In webpack's functions stands their source map, one word of a hundred thousand letters: a pattern that begins anew at each of them takes minutes.
  test('a static field that only the class itself makes: also while it is not there yet', () => {
    const { reach, read } = require('../../src/agent/shared/scopes.cjs')({ takeCompiled: () => [] });
    const make = new Function('__webpack_require__', `
      class Orders { static name = { a: 1 }; static get() { return Orders.one ??= new Orders(); } is(other) { return Orders.two === other && Orders.three <= 1; } }
      return function GET() { __webpack_require__; return Orders.get(); };`);
    const GET = make(() => {});
    const bindings = reach(GET, 'app/api/a/route.ts').bindings.filter(({ owner }) => owner);
    assert.deepEqual(bindings.map(({ name }) => name), ['Orders.one']);
    assert.deepEqual(read(bindings), [undefined]);
    const made = GET();
    assert.equal(read(bindings)[0], made);
  });

  test('a function with a source map in its text is read at once, and one that is a whole bundle is not read', { timeout: 20_000 }, () => {
    const { reach } = require('../../src/agent/shared/scopes.cjs')({});
    const seen = new Map();
    const made = (size) => new Function('seen', `const hidden = new Set(); return function (request) { /* ${'A'.repeat(size)} */ return seen.size + hidden.size; };`)(seen);
    const namesOf = (fn) => reach(fn, 'app/api/a/route.ts').bindings.map(({ name }) => name).sort();
    assert.deepEqual(namesOf(made(190_000)), ['hidden', 'seen']);
    const bundle = made(2_000_000);
    assert.deepEqual(namesOf(() => bundle() + seen.size), ['seen']);
  });

  test('it says when it leads to more functions than are looked at', () => {
    const { reach } = require('../../src/agent/shared/scopes.cjs')({});
    const chain = (length) => {
      let next = () => 0;
      for (let i = 0; i < length; i++) next = ((below) => () => below())(next);
      return next;
    };
    assert.deepEqual([10, 290, 310, 1000].map((length) => reach(chain(length), 'proxy.ts').isWhole), [true, true, false, false]);
    assert.deepEqual([310, 1990, 2010].map((length) => reach(chain(length), 'app/page.ts', 2000).isWhole), [true, true, false]);
  });

  test('and when a scope has more names than are looked at', () => {
    const { reach } = require('../../src/agent/shared/scopes.cjs')({});
    const made = (count) => new Function(`${Array.from({ length: count }, (_, i) => `let v${i} = ${i};`).join('\n')} return () => { ${Array.from({ length: count }, (_, i) => `v${i} += 1;`).join(' ')} };`)();
    assert.deepEqual([390, 500].map((count) => reach(made(count), 'proxy.ts').isWhole), [true, false]);
  });

  test('the user\'s function of middleware, as the adapter of each Next names it', () => {
    const { handlerIn, reach } = require('../../src/agent/shared/scopes.cjs')({});
    const seen = new Map();
    const middleware = () => seen.size;
    const adapter = (given) => given;
    const page = '/middleware';
    const made = {
      14: ((handler) => function nHandler(opts) { return adapter({ ...opts, page, handler }); })(middleware),
      15: ((handler, errorHandledHandler) => function nHandler(opts) { return adapter({ ...opts, page, handler: errorHandledHandler(handler) }); })(middleware, (fn) => fn),
      16: ((handlerUserland, errorHandledHandler) => async (opts) => adapter({ ...opts, page, handler: errorHandledHandler(handlerUserland) }))(middleware, (fn) => fn),
      another: () => adapter({ page }),
    };
    for (const next of [14, 15, 16]) assert.equal(handlerIn(made[next]), middleware, next);
    assert.equal(handlerIn(made.another), undefined);
    assert.deepEqual(reach(middleware, 'proxy.ts').bindings.map(({ name, file }) => `${name} in ${file}`), ['seen in proxy.ts']);
  });
});
