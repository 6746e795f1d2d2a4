// node packaging/npm/build.mjs --out DIR --version V --binary linux-x64=FILE [--binary linux-arm64=FILE] [--notices FILE] [--names-are-ours]
// Packs the launcher and one package for each program into DIR: NAME-VERSION.tgz, as `npm publish FILE` takes them. Nothing is published here.
// The launcher finds the program that is installed beside it, and names none: npm would ask the registry for the one of the other system (for an optional
// peer too), and whoever had taken that name would be in the lock file, and run at the next `npm ci`. Once the names belong to us, with --names-are-ours,
// they are optional dependencies, and all must be published together.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
// The machine field of an ELF header, so that no program ends up in the wrong package.
const kSystems = {'linux-x64': {os: 'linux', cpu: 'x64', machine: 62}, 'linux-arm64': {os: 'linux', cpu: 'arm64', machine: 183}};

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(64);
}

const {values: options} = parseArgs({options: {
  out: {type: 'string'}, version: {type: 'string'}, binary: {type: 'string', multiple: true, default: []}, notices: {type: 'string'},
  'names-are-ours': {type: 'boolean', default: false},
}});
if (!options.out || !options.version || options.binary.length === 0) fail('--out, --version and at least one --binary SYSTEM=FILE are needed');
const binaries = options.binary.map((given) => {
  const [, system, file] = /^([^=]+)=(.+)$/.exec(given) ?? fail(`--binary ${given}: expected SYSTEM=FILE`);
  if (!kSystems[system]) fail(`--binary ${given}: the systems are ${Object.keys(kSystems).join(', ')}`);
  const head = fs.readFileSync(file).subarray(0, 20);
  if (head.subarray(0, 4).toString('latin1') !== '\x7fELF' || head.readUInt16LE(18) !== kSystems[system].machine)
    fail(`${file} is no program for ${system}`);
  return {system, file};
});

const common = {
  version: options.version,
  license: 'UNLICENSED',  // until the project has one; NOTICES.md is about what is linked in
  publishConfig: {access: 'public'},
  engines: {node: '>=20'},
};
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'vercel-sim-npm-'));
try {
  fs.mkdirSync(options.out, {recursive: true});
  const launcher = path.join(work, 'vercel-sim');
  fs.cpSync(path.join(here, 'vercel-sim'), launcher, {recursive: true});
  fs.chmodSync(path.join(launcher, 'bin', 'vercel-sim.js'), 0o755);
  pack(launcher, {
    name: 'vercel-sim',
    description: 'What Vercel\'s network would do to your Next.js app, in front of an unmodified next dev',
    keywords: ['vercel', 'next.js', 'emulator', 'limits', 'timeout', 'websocket', 'testing'],
    bin: {'vercel-sim': 'bin/vercel-sim.js'},
    main: 'lib/index.js',
    types: 'lib/index.d.ts',
    files: ['bin', 'lib'],
    ...(options['names-are-ours'] && {optionalDependencies: Object.fromEntries(Object.keys(kSystems).map((system) => [`@vercel-sim/${system}`, options.version]))}),
  });
  for (const {system, file} of binaries) {
    const dir = path.join(work, system);
    fs.mkdirSync(path.join(dir, 'bin'), {recursive: true});
    fs.copyFileSync(file, path.join(dir, 'bin', 'vercel-sim'));
    fs.chmodSync(path.join(dir, 'bin', 'vercel-sim'), 0o755);
    fs.writeFileSync(path.join(dir, 'README.md'), `The program of [vercel-sim](https://www.npmjs.com/package/vercel-sim) for ${system}. Install that one.\n`);
    if (options.notices) fs.copyFileSync(options.notices, path.join(dir, 'NOTICES.md'));
    pack(dir, {
      name: `@vercel-sim/${system}`,
      description: `The program of vercel-sim for ${system}`,
      os: [kSystems[system].os],
      cpu: [kSystems[system].cpu],
      files: ['bin', 'NOTICES.md'],
      preferUnplugged: true,  // Yarn must not leave the program inside an archive
    });
  }
} finally {
  fs.rmSync(work, {recursive: true, force: true});
}

function pack(dir, manifest) {
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify({...manifest, ...common}, null, 2) + '\n');
  const printed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', path.resolve(options.out)],
                               {cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']});
  const [{filename, size, unpackedSize}] = JSON.parse(printed);
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  process.stdout.write(`${filename}: ${mb(size)}, ${mb(unpackedSize)} unpacked\n`);
}
