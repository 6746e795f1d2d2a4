'use strict';
// The learner's folder: one installed app for all lessons, a folder for each, what was foretold and done. Written where it says, nowhere else.

const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const kOwn = '.vercel-sim';

class PlaceError extends Error {
  constructor(message, fix, code = 70) {
    super(message);
    Object.assign(this, { fix, code });
  }
}

function openPlace({ dir, files }) {
  const root = path.resolve(dir);
  const own = path.join(root, kOwn);
  const isOurs = fs.existsSync(own);
  if (fs.existsSync(root) && !isOurs && fs.readdirSync(root).length > 0) {
    throw new PlaceError(`${dir} is there already, and is no folder of lessons`, 'give another one: vercel-sim learn --dir FOLDER', 64);
  }
  const manifest = JSON.parse(files.get('lessons/app/package.json'));
  const lock = files.get('lessons/app/package-lock.json');
  const stamp = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const stampFile = path.join(own, 'installed');
  const progressFile = path.join(own, 'progress.json');
  const shared = new Map([...files].filter(([name]) => name.startsWith('lessons/app/shared/')).map(([name, bytes]) => [name.slice('lessons/app/shared/'.length), bytes]));

  const place = { root, own };
  place.isInstalled = () => fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp && fs.existsSync(path.join(root, 'node_modules/next/package.json'));

  place.nextVersion = () => {
    try {
      return JSON.parse(fs.readFileSync(path.join(root, 'node_modules/next/package.json'), 'utf8')).version;
    } catch {
      return undefined;  // nothing is installed yet
    }
  };
  // Why the installed app is none for a lesson; empty: it is one.
  place.lacks = (lesson) => {
    const there = place.nextVersion();
    return lesson.next && there && !isAtLeast(there, lesson.next) ? `it needs Next ${lesson.next} or newer, and ${there} is installed` : '';
  };

  // npm's own process, to be ended with us. `done` rejects with a PlaceError.
  place.install = () => {
    write(path.join(root, 'package.json'), files.get('lessons/app/package.json'));
    write(path.join(root, 'package-lock.json'), lock);
    write(path.join(own, '.gitignore'), '*\n');
    const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd: root, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes) => (said = (said + bytes).slice(-4000)));
    const done = new Promise((resolve, reject) => {
      child.once('error', (/** @type {NodeJS.ErrnoException} */ error) => reject(new PlaceError(error.code === 'ENOENT' ? 'npm is in no directory of PATH' : `npm could not be started: ${error.message}`, 'npm comes with Node.js: https://nodejs.org')));
      child.once('close', (code) => {
        if (code !== 0) return reject(new PlaceError(`the lessons' app could not be installed:\n${lastLines(said)}`, installFix(said, root)));
        write(stampFile, stamp);
        resolve();
      });
    });
    done.catch(() => {});
    return { done, stop: () => stopGroup(child) };
  };

  // Shared files, then the lesson's, as a project of its own that finds next in the folder above.
  const whole = (lesson, withSolution) => {
    const out = new Map([...shared, ...lesson.start, ...(withSolution ? lesson.solution : [])]);
    const { dependencies } = manifest;
    out.set('package.json', `${JSON.stringify({ name: lesson.id, private: true, scripts: { dev: 'next dev', build: 'next build' }, dependencies }, null, 2)}\n`);
    return out;
  };
  place.folderOf = (lesson) => path.join(root, lesson.id);
  // Puts the files there if nothing is. True when they are new.
  place.unpack = (lesson, folder = place.folderOf(lesson)) => {
    if (fs.existsSync(path.join(folder, 'package.json'))) return false;
    place.reset(lesson, folder);
    return true;
  };
  // As at the start, or as in the solution; what else is in the folder goes.
  place.reset = (lesson, folder = place.folderOf(lesson), withSolution = false) => {
    const wanted = whole(lesson, withSolution);
    for (const name of listFiles(folder)) if (!wanted.has(name) && name !== 'next-env.d.ts') fs.rmSync(path.join(folder, name));
    for (const [name, bytes] of wanted) writeIfOther(path.join(folder, name), bytes);
  };
  place.isChanged = (lesson) => [...whole(lesson, false)].some(([name, bytes]) => !isSame(path.join(place.folderOf(lesson), name), bytes));
  // What a save changes.
  place.signature = (folder) => {
    const out = new Map();
    for (const name of listFiles(folder)) {
      const stat = fs.statSync(path.join(folder, name), { throwIfNoEntry: false });
      if (stat) out.set(name, `${stat.mtimeMs} ${stat.size}`);
    }
    return out;
  };

  place.progress = () => {
    try {
      const { lessons } = JSON.parse(fs.readFileSync(progressFile, 'utf8'));
      return lessons && typeof lessons === 'object' ? lessons : {};
    } catch {
      return {};  // none yet, or somebody has edited it: nothing is lost but the marks
    }
  };
  place.note = (id, change) => {
    const lessons = place.progress();
    lessons[id] = { ...lessons[id], ...change };
    write(progressFile, `${JSON.stringify({ version: 1, lessons }, null, 2)}\n`);
  };
  place.keepRun = (id, { events, run }) => {
    write(path.join(own, id, 'events.jsonl'), events.map((e) => `${JSON.stringify(e)}\n`).join(''));
    write(path.join(own, id, 'run.json'), `${JSON.stringify(run, null, 2)}\n`);
  };
  place.lastRun = (id) => {
    try {
      return { events: path.join(own, id, 'events.jsonl'), run: JSON.parse(fs.readFileSync(path.join(own, id, 'run.json'), 'utf8')) };
    } catch {
      return undefined;
    }
  };
  return place;
}

function write(file, bytes) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, bytes);
}

function isSame(file, bytes) {
  try {
    return Buffer.from(bytes).equals(fs.readFileSync(file));
  } catch {
    return false;
  }
}

function writeIfOther(file, bytes) {
  if (!isSame(file, bytes)) write(file, bytes);
}

function listFiles(folder, below = '', out = []) {
  let entries = [];
  try {
    entries = fs.readdirSync(path.join(folder, below), { withFileTypes: true });
  } catch {}  // it is not there, or goes away as we look
  for (const entry of entries) {
    const name = below ? `${below}/${entry.name}` : entry.name;
    if (entry.name === 'node_modules' || entry.name === '.next' || entry.name === '.git') continue;
    // What editors leave for a moment.
    if (/(~|\.sw[a-z]|\.tmp)$|^\.#|^4913$/.test(entry.name)) continue;
    if (entry.isDirectory()) listFiles(folder, name, out);
    else if (entry.isFile()) out.push(name);
  }
  return out;
}

function isAtLeast(version, wanted) {
  const [have, need] = [version, wanted].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  const at = need.findIndex((part, i) => part !== have[i]);
  return at < 0 || have[at] > need[at];
}

function stopGroup(child) {
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch {}  // it is gone
}

const lastLines = (text) => text.trim().split('\n').filter((line) => !line.includes('A complete log of this run')).slice(-8).map((line) => `  ${line}`).join('\n');
function installFix(said, root) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|network/.test(said)) return 'the first time a network is needed, and npm did not reach its registry: go online, then run the same command again';
  if (/ENOSPC/.test(said)) return 'the disk is full: about 400 MB are needed';
  if (/EACCES|EPERM|EROFS/.test(said)) return `give a folder that you may write to: vercel-sim learn --dir FOLDER`;
  return `try it by hand: cd ${root} && npm ci`;
}

module.exports = { openPlace, PlaceError };
