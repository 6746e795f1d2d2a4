'use strict';
// In next dev: whether Next's tracing would put a file that a function has read into that function. Asked of a process of its own (trace.cjs), one at a
// time and behind the requests, since it reads and parses sources; only when such a read was seen, once a function and file.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { processOf, questionOf } = require('../shared/trace.cjs');

module.exports = function (sim) {
  const { guard, tell } = sim;
  const known = new Set();  // function and file
  const untraced = new Set();  // of them
  const traced = new Set();
  const queue = [];
  let isRunning = false;
  let isEnforced = false;  // by instances, which then have to know what was found out

  function readAtRunTime({ id, page, kind, entry, reads, isEnforced: isAsked }) {
    isEnforced ||= isAsked === true;
    const news = reads.filter(({ name }) => !known.has(`${page} ${name}`));
    for (const { name } of news) known.add(`${page} ${name}`);
    // Who could not go on without it has asked himself (reads.cjs).
    for (const one of news) if (one.answer) tellAll({ id, page, kind, reads: [one] }, one.answer);
    const open = news.filter(({ answer }) => !answer);
    if (open.length === 0 || !entry) return;
    queue.push({ id, page, kind, entry, reads: open });
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
    for (const { name } of reads) (missing.some((one) => one.name === name) ? untraced : traced).add(`${page} ${name}`);
    share();
    for (const { name, excluded } of missing) {
      const { what, at, directory } = reads.find((one) => one.name === name);
      tell({ t: 'not_traced', id, page, kind, what, path: name.split(path.sep).join('/'), at, route, directory, excluded });
    }
  }

  // Who begins later has it from the start (bundler-host.cjs).
  function share() {
    if (isEnforced) sim.broadcast('traced', sim.tracedSoFar());
  }

  function ask({ page, kind, entry, reads }) {
    const question = JSON.stringify(questionOf({ nextDist: sim.next.dist, dir: sim.server.dir, config: sim.server.nextConfig, page, kind, entry, reads }));
    return new Promise((resolve, reject) => {
      const child = spawn(...processOf(sim.server.dir));
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
    if (untraced.size + traced.size === 0) return;
    untraced.clear();
    traced.clear();
    share();
  }

  return { readAtRunTime, forgetTraced, tracedSoFar: () => ({ untraced: [...untraced], traced: [...traced] }) };
};
