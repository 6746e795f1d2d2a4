'use strict';
// In next dev: whether Next's tracing would put a file that a function has read into that function. Asked of a process of its own (trace.cjs), one at a
// time and behind the requests, since it reads and parses sources; only when such a read was seen, once a function and file.

const { spawn } = require('node:child_process');
const path = require('node:path');

const kMostMs = 30_000;

module.exports = function (sim) {
  const { guard, tell } = sim;
  const known = new Set();  // function and file
  const untraced = new Set();  // of them
  const queue = [];
  let isRunning = false;

  function readAtRunTime({ id, page, kind, entry, reads }) {
    const news = reads.filter(({ name }) => !known.has(`${page} ${name}`));
    for (const { name } of news) known.add(`${page} ${name}`);
    if (news.length === 0 || !entry) return;
    queue.push({ id, page, kind, entry, reads: news });
    void next();
  }

  async function next() {
    if (isRunning || queue.length === 0) return;
    isRunning = true;
    const asked = queue.shift();
    const answer = await ask(asked).catch(() => undefined);
    isRunning = false;
    // What could not be traced is nobody's mistake.
    if (answer && known.has(`${asked.page} ${asked.reads[0].name}`)) guard('traced', () => tellAll(asked, answer));
    void next();
  }

  function tellAll({ id, page, kind, reads }, { route, missing }) {
    for (const { name } of missing) untraced.add(`${page} ${name}`);
    if (missing.length > 0) sim.broadcast('untraced', [...untraced]);
    for (const { name, excluded } of missing) {
      const { what, at, directory } = reads.find((one) => one.name === name);
      tell({ t: 'not_traced', id, page, kind, what, path: name.split(path.sep).join('/'), at, route, directory, excluded });
    }
  }

  function ask({ page, kind, entry, reads }) {
    const config = sim.server.nextConfig;
    const { NODE_OPTIONS, ...env } = process.env;
    const question = JSON.stringify({
      nextDist: sim.nextDist,
      dir: sim.server.dir,
      distDir: config.distDir,
      page,
      kind,
      entry,
      asked: reads.map(({ file, name, directory }) => ({ file, name, directory })),
      includes: config.outputFileTracingIncludes ?? config.experimental?.outputFileTracingIncludes ?? {},
      excludes: config.outputFileTracingExcludes ?? config.experimental?.outputFileTracingExcludes ?? {},
      root: config.outputFileTracingRoot ?? config.experimental?.outputFileTracingRoot,
    });
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [path.join(__dirname, 'trace.cjs')], { cwd: sim.server.dir, env, stdio: ['pipe', 'pipe', 'ignore'], timeout: kMostMs });
      let text = '';
      child.on('error', reject);
      child.stdin.on('error', () => {});
      child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      child.on('close', () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
      child.stdin.end(question);
      child.unref();
    });
  }

  // The code was edited, and perhaps what tracing finds in it: what is asked just now too.
  function forgetTraced() {
    known.clear();
    if (untraced.size === 0) return;
    untraced.clear();
    sim.broadcast('untraced', []);
  }

  return { readAtRunTime, forgetTraced, untraced: () => [...untraced] };
};
