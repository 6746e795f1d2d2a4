'use strict';
// In the command `next dev`, before it has started its server: tells vercel-sim what the template of instances can begin with, which has a processor to itself as long as Next starts
// (instance/ahead.cjs). What the server will be is guessed, and looked at again when it has told (`boot`).

const fs = require('node:fs');
const path = require('node:path');
const { versionOf } = require('../next/index.cjs');
const { runsGroups, variablesOfServer } = require('../next/command.cjs');
const { namesInTmp } = require('./tmp-names.cjs');
const { namesOnDisk } = require('./disk-names.cjs');

// `pipe`: where vercel-sim listens for the first who says it, and no longer. `given`: the environment, without what is ours.
function tellAhead({ pipe, dist, rpcSocket, words, given }) {
  const fd = fs.openSync(pipe, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
  const version = versionOf(dist);
  const { NODE_OPTIONS, ...others } = given;
  const env = { ...others, ...variablesOfServer(version, words, others) };
  const dir = process.cwd();
  const file = path.join(path.dirname(rpcSocket), 'ahead.json');
  fs.writeFileSync(file, JSON.stringify({ next: version, nextDist: dist, options: { dir }, config: {}, calls: {}, rpcSocket, env }), { mode: 0o600 });
  const { entries, standIns, shared } = namesInTmp(env, [dir, dist, process.execPath, file, path.dirname(__dirname)]);
  const { project, writable, open } = namesOnDisk(env, dir);
  const told = { t: 'ahead', file, exec: process.execPath, grouped: runsGroups(version, env), tmp: entries, standIns, sharedTmp: shared, project, writable, openDisk: open };
  fs.writeSync(fd, `${JSON.stringify(told)}\n`);
  fs.closeSync(fd);
}

module.exports = tellAhead;
