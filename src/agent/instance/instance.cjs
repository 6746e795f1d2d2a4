'use strict';
// One function instance: a process with its own memory, in which Next's render server of an unmodified `next dev` runs functions. vercel-sim starts
// it, sends it requests on its own unix socket (VSIM_SOCKET) and hears of them on the control channel; next dev compiles for it (rpc.cjs).
// It decides nothing: placement, deadlines, freezing and killing are vercel-sim's. The wire is docs/agent-protocol.md.
// Or the template of such (VSIM_TEMPLATE), which goes as far as it can without being one, and is copied then (copying.cjs).

const fs = require('node:fs');
const v8 = require('node:v8');

const options = takeOptions();
blockOutput();
// What copies run of ours is compiled once, in their template: else each compiles what it calls.
if (options.isTemplate) v8.setFlagsFromString('--no-lazy');
const ahead = options.isAhead ? require('./ahead.cjs') : undefined;
const environment = ahead?.keepEnvironment();
const boot = JSON.parse(fs.readFileSync(options.bootFile, 'utf8'));
const load = boot.joined ? require(boot.joined) : require;
const { openControl } = load('../shared/control.cjs');
const { environmentHooks, takeEnvironment } = load('../instance/environment.cjs');
const { createShared } = load('../shared/shared.cjs');
const { kOfTemplates, kParts } = load('../instance/instance-parts.cjs');
const { createNext } = load('../next/index.cjs');
const next = createNext({ dist: boot.nextDist, role: 'instance', version: boot.next });
takeVariables();
environment?.watch();

let control;
const tell = (message) => control?.tell(message);
if (!options.isTemplate) connectControl();
const sim = createShared({ options, next, tell, sayHello: () => tell({ t: 'missing', names: [...sim.missing] }) });
Object.assign(sim, {
  boot,
  beginBound,
  leaveControl,
  controlHandle: () => control?.socket._handle,
  plainExit: process.exit.bind(process),
  dispatchTo() {},  // a request comes with its function
});

for (const part of [...(options.isTemplate ? kOfTemplates : []), ...kParts]) Object.assign(sim, load(`../${part}.cjs`)(sim));
if (options.isTemplate) v8.setFlagsFromString('--lazy');

start().catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`);
  tell({ t: 'dying', why: 'boot', message: String(error?.message ?? error), stack: String(error?.stack ?? ''), code: 1 });
  sim.plainExit(1);
});

function takeVariables() {
  takeEnvironment(boot.env, { held: options.held, strict: options.strict, next });
  // Temporary files go to /tmp there, whatever the developer's shell says.
  if (options.tmp) for (const name of ['TMPDIR', 'TMP', 'TEMP']) delete process.env[name];
}

function connectControl() {
  control = openControl({
    socketPath: options.controlSocket,
    first: `${options.token} instance ${options.instance}`,
    // vercel-sim is gone, or was never there: nobody will send a request.
    failed: () => process.exit(0),
    closed: () => process.exit(0),
    received: (message) => received(message),
  });
}

async function start() {
  const { guard } = sim;
  if (options.isTemplate) {
    sim.prepareOwn();
    sim.prepareTaking();
  }
  guard('modules', () => sim.hookModules([...(sim.templateHooks ?? []), ...environmentHooks(sim), ...sim.refusedHooks, ...sim.readHooks, ...sim.cacheHooks, ...sim.handlerHooks]));
  sim.hookLoaded();
  guard('fetch', sim.hookFetch);
  guard('own requests', sim.hookOwnRequests);
  guard('network', sim.hookNetwork);
  guard('disk', sim.hookDisk);
  guard('children', sim.hookChildren);
  guard('refused', sim.hookRefused);
  guard('reads', sim.hookReads);
  guard('tmp', sim.hookTmp);
  guard('programs', sim.hookPrograms);
  guard('plan', sim.hookPlan);
  // Beneath the time scale, which looks at who calls.
  guard('hanging', sim.hookHanging);
  if (options.timeScale !== 1) guard('timers', sim.hookTimers);
  sim.provideContext();
  sim.provideRemoteCache();
  sim.muteWarming();
  if (options.isTemplate) {
    sim.nobody();
    sim.watchTaking();
    if (ahead) await beginAhead();
    await sim.startRenderServer();
    const taken = sim.taken();
    next.forgetConfig();
    const command = await sim.waitToBeCopied(taken);
    sim.forgetWhatWasRead();
    await beginAs(command);
  } else {
    guard('disk', sim.takeDisk);
    await sim.connectPeer();
    await sim.startRenderServer();
  }
  sim.dieAsThePlatformDoes();
  await takeRequests();
}

// A template, as far as it goes before next dev has told what there is. Then as any other.
async function beginAhead() {
  next.loadRenderServer();
  const taken = sim.taken();
  if (taken !== undefined) ahead.beginAnew(taken);
  await sim.tryToBeCopied();
  const { options: { dir }, nextDist } = boot;
  Object.assign(boot, JSON.parse(fs.readFileSync(ahead.waitForBoot(), 'utf8')));
  if (boot.options.dir !== dir || boot.nextDist !== nextDist) ahead.beginAnew(`the app is ${boot.options.dir}, and not ${dir}`);
  const variable = environment.takeAnew(() => {
    takeVariables();
    next.giveConfig(boot.config);
  }, next.isOfTraces);
  if (variable !== undefined) ahead.beginAnew(`${variable} is another one than it was loaded with`);
  sim.watchTaking();
}

async function takeRequests() {
  await sim.listen();
  sim.keepSpare();
  // Last of all: user code finds nothing of ours in its environment.
  next.forgetConfig();
  sim.hello.said = true;
  if (sim.missing.size > 0) sim.sayHello();
  tell({ t: 'ready', pid: process.pid, ms: Math.round(performance.now()) });
}

// In a copy: who it is, and its connections.
async function beginAs({ instance, socket }) {
  Object.assign(options, { instance, socketPath: socket, token: takeSecret() });
  if (options.token === '') sim.plainExit(0);  // nobody wants it any more
  sim.guard('disk', sim.takeDisk);
  connectControl();
  await sim.connectPeer();
  await sim.seeRoutesAnew();
}

// An instance that has evaluated a function's modules stops being one, and is copied (copying.cjs). In a copy everything is there but what is its own.
function leaveControl() {
  const left = control.leave();
  control = undefined;
  return left;
}

async function beginBound(command) {
  await beginAs(command);
  await takeRequests();
}

function received(message) {
  const { t, id } = message;
  if (t === 'bind') sim.bind(message);
  else if (t === 'ping') tell({ t: 'pong' });
  else if (t === 'expire') sim.expire(String(id));
  else if (t === 'last') sim.expect(message.ids.map(String));
}

// What only this process knows, in the first line of its standard input: the environment that a process was started with stays readable (/proc).
function takeSecret() {
  const bytes = Buffer.alloc(65);
  let size = 0;
  for (let n = 1; n > 0 && !bytes.includes('\n'); size += n) n = fs.readSync(0, bytes, size, bytes.length - size, null);
  return bytes.toString('latin1', 0, size).replace(/\n[^]*$/, '');
}

// Lines that wait for a reader are lost when the process is killed, as it is when its work is done: so they are written at once.
function blockOutput() {
  for (const { _handle } of /** @type {any} */ ([process.stdout, process.stderr])) _handle?.setBlocking?.(true);
}

// `namespace` is what this instance's own /tmp and disk are made of (text_of in src/process/own_tmp.hpp), `tmp` its /tmp, `project` where its disk is read-only.
function takeNamespace(namespace) {
  if (!namespace) return {};
  const [tmp, ...lines] = namespace.split('\n');
  return { namespace, tmp: tmp === '-' ? undefined : tmp, tmpKept: lines.filter((line) => line.startsWith('/')), project: lines.find((line) => line.startsWith('='))?.slice(1) };
}

// Taken out of the environment before anything of Next or of the user runs.
function takeOptions() {
  const { env } = process;
  const isTemplate = env.VSIM_TEMPLATE !== undefined;
  const taken = {
    isTemplate,
    isAhead: env.VSIM_TEMPLATE === 'ahead',
    instance: env.VSIM_INSTANCE,
    bootFile: env.VSIM_BOOT,
    socketPath: env.VSIM_SOCKET,
    controlSocket: env.VSIM_CONTROL,
    token: isTemplate ? '' : takeSecret(),
    publicPort: Number(env.VSIM_PUBLIC_PORT),
    isHttps: env.VSIM_PUBLIC_HTTPS === '1',
    timeScale: Number(env.VSIM_TIME_SCALE) > 0 ? Number(env.VSIM_TIME_SCALE) : 1,
    isFluid: env.VSIM_ISOLATION === 'fluid',
    isWarmed: env.VSIM_WARM !== '0',
    machine: env.VSIM_MACHINE,
    held: env.VSIM_HELD?.split(',') ?? [],  // of the platform's machine, whatever the user has set
    strict: env.VSIM_ENV?.split('\n').slice(1),  // files of variables, if there shall be no others
    ...takeNamespace(env.VSIM_TMP),
  };
  for (const name of Object.keys(env)) if (name.startsWith('VSIM_')) delete env[name];
  return taken;
}
