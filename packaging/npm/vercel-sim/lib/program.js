// Where the program of this system is: in a package that is installed beside this one. The programs are static: glibc or
// musl makes no difference.
'use strict';

const path = require('node:path');

const kPackages = {'linux x64': '@vercel-sim/linux-x64', 'linux arm64': '@vercel-sim/linux-arm64'};

class CannotRun extends Error {
  constructor(message, fix) {
    super(message);
    this.name = 'CannotRun';
    this.fix = fix;
  }
}

function findProgram() {
  const system = `${process.platform} ${process.arch}`;
  const name = kPackages[system];
  if (!name) {
    throw new CannotRun(`vercel-sim has no program for ${system}; there are ${Object.keys(kPackages).join(' and ')}`, {
      darwin: 'run it in a Linux container or virtual machine (Docker, OrbStack, Lima), with the project inside',
      win32: 'run it in WSL2: install Node and this package inside the Linux there',
    }[process.platform] ?? 'run it on one of these, or build it from its sources');
  }
  try {
    return path.join(path.dirname(require.resolve(`${name}/package.json`)), 'bin', 'vercel-sim');
  } catch {
    const {version} = require('../package.json');
    throw new CannotRun(`the package ${name}, which holds the program, is not installed: only the launcher was, or ` +
                        'node_modules comes from another system',
                        `install its archive too: npm install --save-dev --ignore-scripts ./vercel-sim-${system.replace(' ', '-')}-${version}.tgz`);
  }
}

exports.CannotRun = CannotRun;
exports.findProgram = findProgram;
