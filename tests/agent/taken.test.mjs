// What modules take while they are evaluated, for which a process is not copied (taken.cjs): each reason, with who it was, and what is no reason.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

const agent = path.resolve(import.meta.dirname, '../../src/agent');

// Text of a module → what is said of it: whole, `FILE` being its place.
const kTaken = {
  'Date.now()': ['exports.at = Date.now();', 'Date.now() by FILE'],
  'new Date()': ['exports.at = new Date();', 'new Date() by FILE'],
  'Date()': ['exports.at = Date();', 'Date() by FILE'],
  'a class of dates': ['class Day extends Date {}\nexports.at = new Day();', 'new Date() by FILE'],
  'performance.now()': ['exports.at = performance.now();', 'performance.now() by FILE'],
  'performance.timeOrigin': ['exports.at = performance.timeOrigin;', 'performance.timeOrigin by FILE'],
  'process.hrtime.bigint()': ['exports.at = process.hrtime.bigint();', 'process.hrtime.bigint() by FILE'],
  'process.uptime()': ['exports.at = process.uptime();', 'process.uptime() by FILE'],
  'Math.random()': ['exports.n = [1].map(Math.random);', 'Math.random() by FILE'],
  'randomUUID()': ['exports.id = require("node:crypto").randomUUID();', 'crypto.randomUUID() by FILE'],
  'randomUUID() of the web': ['exports.id = crypto.randomUUID();', 'crypto.randomUUID() by FILE'],
  'randomBytes()': ['exports.id = require("crypto").randomBytes(8);', 'crypto.randomBytes() by FILE'],
  'getRandomValues()': ['exports.id = crypto.getRandomValues(new Uint8Array(8));', 'crypto.getRandomValues() by FILE'],
  'a key pair': ['exports.keys = require("crypto").generateKeyPairSync("ed25519");', 'crypto.generateKeyPairSync() by FILE'],
  'process.pid': ['const { pid } = process;\nexports.name = `w${pid}`;', 'process.pid by FILE'],
  'a timeout': ['setTimeout(() => {}, 60000);', 'setTimeout() by FILE, which has not fired'],
  'an interval': ['require("timers").setInterval(() => {}, 60000).unref();', 'setInterval() by FILE, which has not fired'],
  'a pause': ['require("timers/promises").setTimeout(60000, 0, { ref: false });', 'setTimeout() by FILE, which has not fired'],
  'a connection': ['require("net").connect("/nowhere.sock").on("error", () => {});', 'a connection by FILE'],
  'fetch()': ['fetch("http://127.0.0.1:1").catch(() => {});', 'fetch() by FILE'],
  'a server': ['require("net").createServer().listen(0).unref();', 'server.listen() by FILE'],
  'a socket of UDP': ['require("dgram").createSocket("udp4").close();', 'dgram.createSocket() by FILE'],
  'a name that is looked up': ['require("dns").lookup("localhost", () => {});', 'dns.lookup() by FILE'],
  'a child process': ['require("child_process").execFileSync("true");', 'child_process.execFileSync() by FILE'],
  'a child that goes on': ['require("child_process").spawn("true").unref();', 'child_process.spawn() by FILE'],
  'a worker': ['new (require("worker_threads").Worker)("", { eval: true }).unref();', 'new Worker() by FILE'],
  'a file that is read': ['exports.text = require("fs").readFileSync("data.json", "utf8");', 'fs.readFileSync(data.json) by FILE'],
  'a file that is there': ['exports.is = require("fs").existsSync("data.json");', 'fs.existsSync(data.json) by FILE'],
  'a file that is written': ['require("fs").appendFileSync("log", "x");', 'fs.appendFileSync(log) by FILE'],
  'a file that is opened': ['require("fs").promises.open("data.json").then((file) => file.close());', 'fs.open(data.json) by FILE'],
  'files that are watched': ['require("fs").watch(".").close();', 'fs.watch(.) by FILE'],
  'a name that is resolved': ['new (require("dns").Resolver)().resolve4("localhost", () => {});', 'dns.resolve4() by FILE'],
  'the day as text': ['exports.day = new Intl.DateTimeFormat("en").format();', 'Intl.DateTimeFormat.format() by FILE'],
  'the day in parts': ['exports.day = new Intl.DateTimeFormat("en").formatToParts();', 'Intl.DateTimeFormat.formatToParts() by FILE'],
  'a pause of the scheduler': ['require("timers/promises").scheduler.wait(60000, { ref: false });', 'scheduler.wait() by FILE'],
  'a context': ['exports.context = require("vm").createContext({});', 'vm.createContext() by FILE'],
  'code in a context': ['exports.n = new (require("vm").Script)("Math.random()").runInNewContext();', 'vm.Script.runInNewContext() by FILE'],
  'a native addon': ['try {\n  process.dlopen({ exports: {} }, "/nowhere/x.node");\n} catch {}', 'the native addon x.node by FILE'],
  'a package': ['exports.id = require("pack").id;', 'Math.random() by node_modules/pack/index.js:1'],
};
// Node 20 has none.
if (Number(process.versions.node.split('.')[0]) >= 22) kTaken['a database'] = ['new (require("node:sqlite").DatabaseSync)(":memory:");', 'node:sqlite'];
const kNothing = {
  'plain state': 'exports.map = new Map([["a", { count: 0 }]]);\nexports.at = new Date(0);\nexports.is = exports.at instanceof Date && exports.at.constructor === Date;',
  'what is called later': 'exports.GET = () => [Date.now(), new Date(), Math.random(), process.pid, crypto.randomUUID()];',
  'a hash': 'exports.hash = require("crypto").createHash("sha1").update("x").digest("hex");',
  'a timer that is taken back': 'clearTimeout(setTimeout(() => {}, 60000));',
  'what packages read of themselves': 'exports.version = require("pack/package.json").version;\nexports.text = require("fs").readFileSync("node_modules/pack/package.json", "utf8");',
  'a day of its own as text': 'const { format } = new Intl.DateTimeFormat("en", { timeZone: "UTC" });\nexports.is = format(new Date(0)) === "1/1/1970" && format(0) === "1/1/1970";',
  'what Next does': 'require("next");',
};

describe('what modules take while they are evaluated', () => {
  let app;
  let said;

  before(async () => {
    app = realpathSync(mkdtempSync(path.join(tmpdir(), 'vsim-taken-')));
    const write = (name, text) => {
      mkdirSync(path.dirname(path.join(app, name)), { recursive: true });
      writeFileSync(path.join(app, name), text);
    };
    write('data.json', '{}');
    write('node_modules/pack/package.json', '{"version":"1.0.0"}');
    write('node_modules/pack/index.js', 'exports.id = Math.random();');
    write('node_modules/next/index.js', 'exports.at = [Date.now(), new Date(), Math.random(), process.pid, setTimeout(() => {}, 1e6).unref()];');
    const all = { ...Object.fromEntries(Object.entries(kTaken).map(([name, [text]]) => [name, text])), ...kNothing };
    const names = Object.keys(all);
    names.forEach((name, i) => write(`.next/server/m${i}.cjs`, all[name]));
    write(
      'run.cjs',
      `const sim = { boot: { options: { dir: __dirname }, config: { distDir: '.next' }, rpcSocket: '/rpc' }, options: { socketPath: '/own' }, guard: (_, action) => action() };
      Object.assign(sim, require(${JSON.stringify(path.join(agent, 'instance/taken.cjs'))})(sim));
      sim.prepareTaking();
      const out = [];
      for (let i = 0; i < ${names.length}; i++) {
        sim.watchTaking();
        const made = require('./.next/server/m' + i + '.cjs');
        out.push({ said: sim.taken(), is: made.is });
      }
      // Nothing is looked at any more, and everything works.
      const later = [Date.now() > 0, new Date() instanceof Date, typeof process.pid, crypto.randomUUID().length, Math.random() < 1, new Date(5).getTime(), Date.UTC(1970, 0), typeof Date(), Date.name, typeof new Intl.DateTimeFormat('en').format()];
      require('node:fs').writeSync(1, JSON.stringify({ out, later }));
      process.exit(0);`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, ['run.cjs'], { cwd: app });
    said = JSON.parse(stdout);
    said.of = (name) => said.out[names.indexOf(name)];
    said.fileOf = (name) => `.next/server/m${names.indexOf(name)}.cjs`;
  });
  after(() => rmSync(app, { recursive: true, force: true }));

  for (const [name, [, expected]] of Object.entries(kTaken)) {
    test(`taken: ${name}`, () => {
      const bare = (said.of(name).said ?? 'nothing').replace(/:(\d+):\d+/, (_, line) => (expected.includes(':1') ? `:${line}` : ''));
      assert.equal(bare, expected.replace('FILE', said.fileOf(name)));
    });
  }

  for (const name of Object.keys(kNothing)) {
    test(`nothing taken: ${name}`, () => {
      assert.equal(said.of(name).said, undefined);
      assert.notEqual(said.of(name).is, false);
    });
  }

  test('what is replaced goes on working', () => {
    assert.deepEqual(said.later, [true, true, 'number', 36, true, 5, 0, 'string', 'Date', 'string']);
  });
});
