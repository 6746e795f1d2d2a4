'use strict';
// Programs that functions start. A deployed function has Node and its own files: what is installed on the developer's machine and is known to be in no
// function (a browser, ffmpeg, git, python) is told with the app's own line, and is not there under `enforce`. Seen where Node starts it: not what a shell
// that it starts, or a child of it, starts in turn, but for the first word of a command that is given to a shell.

const childProcess = require('node:child_process');
const path = require('node:path');
const dressed = require('../shared/dressed.cjs');
const { realOf, statOf } = require('../shared/paths.cjs');

// Reported as missing, each (codes/causes.yaml: program-not-there, browser-not-there), and their like. Not what Amazon Linux has in every image.
const kAbsent =
  /^(ff(mpeg|probe|play)|git(-lfs)?|python[\d.]*|pip[\d.]*|docker|chrom(e|ium)(-browser|-headless-shell)?|google-chrome(-stable|-beta)?|chrome-headless-shell|headless_shell|firefox|msedge|microsoft-edge(-stable)?|convert|magick|mogrify|inkscape|rsvg-convert|cwebp|gs|pdftotext|pdftoppm|pdfinfo|pdftk|qpdf|libreoffice|soffice|wkhtmltopdf|wkhtmltoimage|pandoc|pdflatex|xelatex|tesseract|exiftool|sox|yt-dlp|youtube-dl|psql|pg_dump|mysqldump|mongodump|redis-cli)$/i;
// Where puppeteer and playwright put what they download.
const kBrowserCache = /[\\/](\.cache|Caches)[\\/](puppeteer|ms-playwright)[\\/]/;
const kShell = /^(.*[\\/])?(sh|bash|dash|zsh)$/;

module.exports = function (sim) {
  const { boot, guard, hanging, invocations, machine } = sim;
  const { modeOf, callerOf, textOf, isChosen, variablesThat, tellMachine } = machine;
  const project = (realOf(boot.options.dir) ?? boot.options.dir) + path.sep;

  function hookPrograms() {
    if (modeOf('program') === 'off') return;
    // All that is not synchronous ends there: spawn, exec, execFile, fork. A folder that is not there is what the system calls ENOENT too, and Node then
    // names the program.
    const processes = /** @type {any} */ (childProcess.ChildProcess.prototype);
    const { spawn } = processes;
    processes.spawn = function joined(options, ...rest) {
      const refused = guard('programs', () => look('spawn', options?.file, options?.args?.slice(1), options, joined));
      return Reflect.apply(spawn, this, [refused ? { ...options, cwd: nowhere() } : options, ...rest]);
    };
    for (const name of ['spawnSync', 'execFileSync', 'execSync']) wrapSync(name);
  }

  // execSync and execFileSync call a spawnSync of their own.
  function wrapSync(name) {
    const real = childProcess[name];
    const asked = function (file, ...rest) {
      const at = Array.isArray(rest[0]) || (rest[0] === undefined && rest.length > 1) ? 1 : 0;
      const given = rest[at] !== null && typeof rest[at] === 'object' ? rest[at] : {};
      const isShell = name === 'execSync' || Boolean(given.shell);
      const refused = guard('programs', () => (isShell ? look(name, 'sh', ['-c', file], given, asked) : look(name, file, at === 1 ? rest[0] : [], given, asked)));
      if (refused) rest[at] = { ...given, cwd: nowhere() };
      return Reflect.apply(real, this, [file, ...rest]);
    };
    childProcess[name] = dressed(asked, real);
  }

  const nowhere = () => path.join(boot.options.dir, '.vercel-sim-has-no-such-folder');

  // True: it is not there.
  function look(what, file, args, { cwd, env, envPairs }, below) {
    const inShell = kShell.test(file ?? '') && args?.[0] === '-c';
    const name = inShell ? firstWord(String(args[1])) : String(file ?? '');
    if (!name) return false;
    const found = programOf(name, cwd, pathOf(env, envPairs));
    if (!found || !isAbsent(found)) return false;
    const invocation = invocations.getStore();
    if (invocation?.isWarming) return false;
    const caller = callerOf(hanging.traceBelow(below));
    if (!caller.first || caller.first.isNext) return false;
    return judge({ kind: 'program', what, to: found, place: caller.place }, caller, invocation, inShell);
  }

  function judge(found, { first, own }, invocation, inShell) {
    const [variable] = variablesThat((value) => value === found.to);
    if (variable) return void tellMachine({ ...found, variable });
    // At build a machine has git and python.
    if (invocation?.isStatic) return void (invocation.untilKnown ??= []).push({ ...found, doubt: 'at-build' });
    let doubt = '';
    if (first !== own[0]) doubt = 'package';
    else if (own.some((frame) => isChosen(textOf(frame)))) doubt = 'only-dev';
    else if (inShell) doubt = 'unseen';
    const refused = doubt === '' && modeOf('program') === 'enforce';
    tellMachine({ ...found, doubt: refused ? '' : doubt || 'mode', refused });
    return refused;
  }

  // Of a command for a shell. Variables before it are left out; anything cleverer is not understood.
  function firstWord(command) {
    return /^\s*(?:[A-Za-z_]\w*=\S*\s+)*([^\s;&|<>$`"'()]+)/.exec(command)?.[1] ?? '';
  }

  function pathOf(env, pairs) {
    if (pairs) return pairs.find((one) => one.startsWith('PATH='))?.slice(5);
    return (env ?? process.env).PATH;
  }

  // The file that would be started, if there is one: what is not here either fails by itself.
  function programOf(name, cwd, searched) {
    const base = typeof cwd === 'string' ? cwd : process.cwd();
    const all = name.includes('/') ? [path.resolve(base, name)] : (searched ?? '/usr/local/bin:/usr/bin:/bin').split(':').map((dir) => path.resolve(base, dir, name));
    return all.find((file) => statOf(file)?.isFile());
  }

  // What the project brings along, and what an app has unpacked to /tmp, is there.
  function isAbsent(file) {
    const real = realOf(file) ?? file;
    if ([file, real].some((one) => one.startsWith(project) || one.startsWith(boot.options.dir + path.sep) || one.startsWith('/tmp/'))) return false;
    return kAbsent.test(path.basename(file)) || kBrowserCache.test(real);
  }

  return { hookPrograms };
};
