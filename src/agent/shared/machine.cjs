'use strict';
// What the machine of a deployment lacks, as far as an instance sees its functions use it (network.cjs, disk.cjs): whose line it is, whether a variable
// of the environment names it, and what vercel-sim is told. vercel-sim has the words; whether something fails is decided here, since only here it can.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { AsyncLocalStorage } = require('node:async_hooks');
const { isOfNext, isRuntime } = require('../next/names.cjs');
const { packageOf } = require('./paths.cjs');

const kPackage = /(^|[\\/])node_modules[\\/]/;
// What sends traces, to a collector beside the function unless told otherwise (on Vercel the platform's: VERCEL_OTEL_ENDPOINTS).
const kTelemetry = /(^|[\\/])node_modules[\\/](@vercel[\\/]otel|@opentelemetry)[\\/]/;
// Not the user's own: of the platform, of Next, of npm and of the shell.
const kForeign = /^(VERCEL($|_)|NOW_|__NEXT|NEXT_(?!PUBLIC_)|npm_|NODE_|TURBO|HOME$|PATH$|PWD$|OLDPWD$|INIT_CWD$|SHELL$|TMP(DIR)?$|TEMP$|HOST(NAME)?$|PORT$|.*_PROXY$|.*_proxy$|XDG_|DISPLAY$|SSH_|_$)/;
// Somebody chooses by where the code runs: NODE_ENV is `development` here and nowhere there.
const kChosen = /\bNODE_ENV\b|\bVERCEL_(TARGET_)?ENV\b|(?<![\w/-])(is|in)?_?(dev|prod)(elopment|uction)?(_?mode)?(?![\w/.-])/i;
const kMostUntold = 20;

module.exports = function (sim) {
  const { boot, guard, hanging, invocations, options, tell } = sim;
  const modes = new Map((options.machine ?? '').split(',').map((one) => one.split('=')));
  const untold = [];  // seen while modules were evaluated, before there was a request
  const sources = new Map();  // file of the project → its text

  const ours = new AsyncLocalStorage();  // what the agent asks in Next's name

  // Requests of ours are nobody's mistake.
  const unjudged = (action) => ours.run(true, action);

  const modeOf = (kind) => modes.get(kind) ?? 'off';

  // Of a call: {first: the frame that made it, all, own: those of the app, place}. A frame is {at, source, isNext, isPackage, isTelemetry, isUsers}. `place`:
  // the app's {at, source}, or {package}: its name, where no line of the app's is known.
  function callerOf(trace) {
    const frames = hanging
      .framesOf(trace)
      .map(({ file, at, source }) => {
        const written = source ?? file;
        return { at, source, isNext: isOfNext(written), isPackage: kPackage.test(written), isTelemetry: kTelemetry.test(written), isRuntime: isRuntime(written), isUsers: sim.isUserCode(file) };
      })
      .filter(({ isRuntime }) => !isRuntime);
    // What is not mapped to a file of the project may be a package's, bundled with it.
    const own = frames.filter(({ isNext, isPackage, isUsers, source }) => isUsers && source && !isNext && !isPackage);
    const shown = own[0] ?? frames.find(({ isNext, isUsers }) => isUsers && !isNext);
    return { first: frames[0], all: frames, own, place: shown && placeOf(shown) };
  }

  // A line of a package is none that anybody could mend.
  function placeOf({ at, source }) {
    const name = packageOf(source ?? at);
    return name ? { package: name } : { at, source };
  }

  // Text of the file that a frame stands in; '' if it is not known. What is commented out is left out, its lines stay.
  function textOf({ source }) {
    if (!source) return '';
    return projectText(source.replace(/:\d+:\d+$/, ''));
  }

  function projectText(name) {
    const file = path.resolve(boot.options.dir, name);
    if (!sources.has(file)) {
      let text = '';
      try {
        text = readFileSync(file, 'utf8');
      } catch {
        // made by the bundler, or gone
      }
      sources.set(file, text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, '')).replace(/^\s*\/\/.*$/gm, ''));
    }
    return sources.get(file);
  }

  const isChosen = (text) => kChosen.test(text);

  // Names of the user's own variables whose value is this: what they name stands in for something else that the deployment has. Under `environment.strict`
  // they are the deployment's own, and nothing stands in.
  function variablesThat(isIt) {
    const found = [];
    if (modeOf('strict') === 'on') return found;
    for (const [name, value] of Object.entries(process.env)) {
      if (value && !kForeign.test(name) && guard('environment', () => isIt(value, name))) found.push(name);
    }
    return found;
  }

  // `found`: {kind, what, to, place, variable, doubt, refused}.
  function tellMachine(found) {
    const invocation = invocations.getStore();
    if (invocation?.isWarming) return;
    const { kind, what, to, place, variable, doubt = '', refused = false } = found;
    if (invocation && kind === 'disk' && refused) (invocation.toldWrites ??= new Set()).add(to);
    const message = { t: 'machine', kind, what: place?.package ? `${what} (by the package ${place.package})` : what, to, at: place?.at, source: place?.source, variable, doubt, refused };
    if (invocation?.id !== undefined) tell({ ...message, id: invocation.id });
    else if (untold.length < kMostUntold) untold.push(message);
  }

  // The first request of this instance has them to answer for.
  function tellUntold(invocation) {
    for (const message of untold.splice(0)) tell({ ...message, id: invocation.id });
    if (!invocation.isStatic) invocations.run(invocation, () => invocation.untilKnown?.forEach(tellMachine));
    invocation.untilKnown = undefined;
  }

  return { unjudged, machine: { isUnjudged: () => ours.getStore() === true, modeOf, callerOf, textOf, projectText, isChosen, variablesThat, tellMachine }, tellUntold };
};

module.exports.kForeign = kForeign;
