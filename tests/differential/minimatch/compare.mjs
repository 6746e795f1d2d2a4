// Compares src/routes/glob with npm's minimatch 3.1.2 on hand-picked and generated (pattern, path) pairs.
// Usage: node compare.mjs DRIVER [--seed N] [--pairs N]     (the driver is the CMake target minimatch_driver)
// Exit 0: no difference. Exit 77: minimatch is not installed here (npm ci in this folder), nothing was compared.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import vm from 'node:vm';

const [driver, ...rest] = process.argv.slice(2);
const option = (name, fallback) => (rest.includes(name) ? Number(rest[rest.indexOf(name) + 1]) : fallback);
const seed = option('--seed', 1);
const wanted = option('--pairs', 20000);
if (!driver) {
  console.error('usage: node compare.mjs DRIVER [--seed N] [--pairs N]');
  process.exit(64);
}
let minimatch;
try {
  const require = createRequire(import.meta.url);
  minimatch = require('minimatch');
  if (require('minimatch/package.json').version !== '3.1.2') throw new Error('another version of minimatch is installed');
} catch (error) {
  console.error(`skipped: ${error.message.split('\n')[0]}. Run "npm ci" in tests/differential/minimatch.`);
  process.exit(77);
}

let state = BigInt(seed);
const mask = (1n << 64n) - 1n;
function next() { // SplitMix64
  state = (state + 0x9e3779b97f4a7c15n) & mask;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return Number((z ^ (z >> 31n)) >> 11n);
}
const wellFormed = (s) => s.toWellFormed(); // half a character has no UTF-8 form to hand to the driver
const below = (n) => next() % n;
const pick = (list) => list[below(list.length)];
const many = (least, most, make) => Array.from({ length: least + below(most - least + 1) }, make);

const names = ['app', 'api', 'a', 'b', 'ab', 'abc', 'route.ts', 'page.tsx', '[id]', '[...slug]', '(shop)', '@modal', '.hidden', '..', '.', 'x.js', 'a.b', 'a-b', 'A', '1', '10', '07', 'é', '😀', 'a b', '{a}', 'a|b', '!a', '#a', '+a', '$', '^', 'a\\b', ''];
const path = () => many(1, 5, () => (below(4) ? pick(names) : many(1, 4, () => pick(['a', 'b', 'c', '.', '-', '_', 'x', '1', ']', '[', '!'])).join(''))).join('/');

const literal = () => pick(['a', 'b', 'c', 'ab', 'app', 'api', 'route', 'page', '.', '-', '_', 'x', '1', 'é', '😀', ' ', '$', '^', '#', ',', '..']);
const inClass = () => pick(['a', 'b', 'a-c', 'A-Z', '0-9', 'c-a', '.', '!', '^', '-', ']', '[', '\\]', '\\d', '\\w', '[:alpha:]', '[:digit:]', '*', '?', '(', ')', '|', '+', '@', 'é', '\\\\', '&&', '😀']);
const charClass = () => `[${pick(['', '', '!', '^'])}${many(0, 3, inClass).join('')}${pick([']', ']', ']', ']', ''])}`;
const brace = (d) => pick([
  () => `{${many(1, 3, () => atoms(d - 1)).join(',')}}`,
  () => `{${pick([0, 1, -2, '01', '-01', 3])}..${pick([3, 5, '05', -1, 10])}${pick(['', '', '..2', '..-1'])}}`,
  () => `{${pick(['a', 'c', 'Z', 'e'])}..${pick(['a', 'c', 'e'])}${pick(['', '..2'])}}`,
  () => pick(['{', '}', '{}', '{a', 'a}', '{,}', '{a,', '${a,b}', '{{a,b}}', '{a},b}', '\\{a,b}', '{a\\,b,c}']),
])();
const extglob = (d) => `${pick(['@', '*', '+', '?', '!'])}(${many(1, 3, () => atoms(d - 1)).join('|')}${pick([')', ')', ')', ')', ')', ''])}`;
const odd = () => pick(['\\', '\\*', '\\?', '\\[', '\\(', '\\)', '\\|', '\\@', '\\!', '\\+', '\\a', '\\.', '(', ')', '|', '!', '+', '@', ']', '[', '**', '***', '?*', '*]', '*)']);
function atoms(d) {
  return many(0, 3, () => {
    const kind = below(d > 0 ? 12 : 8);
    if (kind < 4) return literal();
    if (kind === 4) return '*';
    if (kind === 5) return '?';
    if (kind === 6) return charClass();
    if (kind === 7) return below(3) ? literal() : odd();
    if (kind < 10) return extglob(d);
    return brace(d);
  }).join('');
}
const segment = () => (below(6) === 0 ? '**' : below(8) === 0 ? pick(names) : atoms(2));
const pattern = () => `${pick(['', '', '', '', '', '', '', '!', '!!', '#', ' ', '/', './'])}${many(1, 4, segment).join(pick(['/', '/', '/', '//']))}${pick(['', '', '', '', '/', ' '])}`;

// A path that the pattern has a chance to match: its own text with the magic taken out.
const nearby = (p) => p.replace(/[@*+?!]?\(([^|()]*)[^()]*\)/g, '$1').replace(/\{([^,{}]*)[^{}]*\}/g, '$1').replace(/\[[!^]?(.)[^\]]*\]/g, '$1')
  .replace(/\*\*/g, () => many(0, 3, () => pick(names)).join('/')).replace(/[*?]/g, () => pick(['a', 'b', '', 'x'])).replace(/\\(.)/g, '$1').replace(/^!+/, '').trim();

const handPicked = [
  ['api/*.ts', ['api/a.ts', 'api/b/a.ts', 'api/.ts', 'api/.a.ts', 'src/api/a.ts']],
  ['api/**/*.ts', ['api/a.ts', 'api/b/a.ts', 'api/b/c/a.ts', 'api/.b/a.ts', 'api/b/.a.ts']],
  ['app/**', ['app', 'app/', 'app/a', 'app/a/b', 'app/.a', 'application']],
  ['app/api/**/route.ts', ['app/api/route.ts', 'app/api/a/route.ts', 'app/api/[id]/route.ts', 'app/api/[...all]/route.ts']],
  ['app/api/[id]/route.ts', ['app/api/[id]/route.ts', 'app/api/i/route.ts', 'app/api/d/route.ts', 'app/api/id/route.ts']],
  ['app/api/[[]id]/route.ts', ['app/api/[id]/route.ts']],
  ['app/api/\\[id\\]/route.ts', ['app/api/[id]/route.ts', 'app/api/i/route.ts']],
  ['app/(shop)/**/page.tsx', ['app/(shop)/cart/page.tsx', 'app/shop/cart/page.tsx', 'app/(shop)/page.tsx']],
  ['app/@modal/**', ['app/@modal/page.tsx', 'app/@modal/(.)photo/page.tsx']],
  ['{pages,src/pages}/api/*', ['pages/api/a.js', 'src/pages/api/a.js', 'x/pages/api/a.js']],
  ['pages/**/!(_)*.js', ['pages/a.js', 'pages/_a.js', 'pages/a/b.js']],
  ['*.!(js|ts)', ['a.js', 'a.tsx', 'a.b.js', 'a.css']],
  ['*.!(x).!(y|z)', ['a.xyz.yz', 'a.b.c', 'a.x.b', 'a.b.y']],
  ['!(a)', ['a', 'b', 'ab', '', '.a']], ['!(a|b)c', ['ac', 'bc', 'cc', 'c']], ['*(a|b)', ['', 'ab', 'aab', 'c']],
  ['+(a)', ['', 'a', 'aaa']], ['?(a)b', ['b', 'ab', 'aab']], ['@(a|@(b|c))', ['a', 'b', 'c', 'd']],
  ['*(*.js|!(*.json))', ['a.js', 'a.json', 'a.txt']], ['+(a|!(b))', ['a', 'b', 'c']],
  ['[z-a]', ['[z-a]', 'z', 'a']], ['[[]', ['[']], ['[]]', [']', '[]]']], ['[!]]', ['a', ']']], ['[', ['[']], ['[a', ['[a']],
  ['[[:alpha:]]', ['a', ':]', 'l]']], ['[a-c-e]', ['a', '-', 'd', 'e']], ['[\\]]', [']']], ['[*]', ['*', 'a']],
  ['a{1..3}', ['a1', 'a2', 'a3', 'a4']], ['{01..10}', ['01', '1', '10', '07']], ['{c..a}', ['a', 'b', 'c', 'd']], ['{a..e..2}', ['a', 'b', 'c', 'e']],
  ['a{b}c', ['a{b}c', 'abc']], ['{}', ['{}']], ['{},a}b', ['{},a}b', 'ab']], ['a{},b}c', ['a}c', 'abc']], ['${a,b}', ['${a,b}', '$a']], ['{{a,b},c}', ['a', 'b', 'c']],
  ['', ['', 'a']], [' ', ['', ' ']], ['!', ['', 'a']], ['!!', ['', 'a']], ['#a', ['#a', 'a']], ['\\#a', ['#a']], ['!a', ['a', 'b']], ['!!a', ['a', 'b']],
  ['.*', ['.a', '.', '..', 'a']], ['*', ['.a', 'a', '', 'a/']], ['?', ['.', 'a', '😀', 'é']], ['??', ['😀', 'ab']], ['**', ['', '.', '.a', 'a/.b', 'a/b']],
  ['a/**/b/**/c', ['a/b/x/y/z/c', 'a/b/c', 'a/c']], ['a//b', ['a/b', 'a//b']], ['/a', ['a', '/a', '//a']], ['a/', ['a', 'a/']], ['a/*', ['a/', 'a/b/', 'a/b']],
  ['a\\', ['a', 'a\\']], ['\\', ['\\', '']], ['*]', [']a', 'a]', ']']], ['*)', [')a', 'a)', ')']], ['+(a', ['+(a', 'a']], ['@(a|b', ['@(a|b', 'a']], ['\\@(a)', ['@(a)', 'a', '(a)@']],
];
const pairs = [];
for (const [p, paths] of handPicked) for (const q of paths) pairs.push([p, q]);
while (pairs.length < wanted) {
  const p = wellFormed(pattern());
  pairs.push([p, path()]);
  pairs.push([p, wellFormed(nearby(p))]);
}

const input = pairs.map(([p, q]) => `${JSON.stringify(p)}\n${JSON.stringify(q)}\n`).join('');
const run = spawnSync(driver, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
if (run.status !== 0) {
  console.error(`the driver failed: ${run.error ?? run.stderr ?? ''} (status ${run.status}, signal ${run.signal})`);
  process.exit(1);
}
const ours = run.stdout.trimEnd().split('\n');
// The original backtracks without bound on some patterns; those have no answer to compare with.
const context = vm.createContext({ minimatch, p: '', q: '' });
const script = new vm.Script('minimatch(q, p)');
function original(p, q) {
  context.p = p;
  context.q = q;
  try {
    return script.runInContext(context, { timeout: 100 });
  } catch (error) {
    if (error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}
let matched = 0, complex = 0, endless = 0;
const differences = [];
pairs.forEach(([p, q], i) => {
  const theirs = original(p, q);
  if (theirs === undefined) {
    endless++;
    return;
  }
  matched += theirs ? 1 : 0;
  if (ours[i] === '-') complex++;
  else if (ours[i] !== (theirs ? '1' : '0')) differences.push(`pattern ${JSON.stringify(p)} path ${JSON.stringify(q)}: minimatch ${theirs}, ours ${ours[i] === '1'}`);
});
for (const d of differences.slice(0, 20)) console.error(d);
console.log(`${pairs.length} pairs, seed ${seed}: ${matched} match, ${differences.length} differences, ${complex} refused by us as too complex, ${endless} not answered by minimatch within 100 ms`);
const enough = ours.length === pairs.length && matched > pairs.length / 10 && complex + endless < pairs.length / 500;
if (!enough) console.error('the comparison itself is weak: too few answers, too few matches or too many refusals');
process.exit(differences.length || !enough ? 1 : 0);
