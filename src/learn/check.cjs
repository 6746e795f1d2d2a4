'use strict';
// `learn --check`: each lesson without a person. With start/ it must fail in the way it names, with solution/ pass; else its text teaches something else than
// its reader sees.

const path = require('node:path');
const { findLesson, readBuiltins } = require('./lesson.cjs');
const { openPlace } = require('./place.cjs');
const { runProbe } = require('./probe.cjs');
const { startSim } = require('./sim.cjs');
const { startStandIns } = require('./stand-ins.cjs');

async function checkLessons({ program, files, options, screen, cleanUp }) {
  // For a tool what people read is left out: `say` tells only them.
  const { paint } = screen;
  const say = options.json ? () => {} : screen.say;
  const wanted = options.wanted.length > 0 ? options.wanted.map((one) => findLesson({ program, files }, one)) : readBuiltins({ program, files });
  const place = openPlace({ dir: options.dir, files });
  if (!place.isInstalled()) {
    say(paint.dim('installing the lessons’ app, once …'));
    const install = place.install();
    cleanUp.push(install.stop);
    await install.done;
  }
  const results = [];
  for (const lesson of wanted) {
    const { id, before } = lesson;
    const fails = [...before.fails, ...(before.says ?? [])];
    const lack = place.lacks(lesson);
    const began = performance.now();
    const wrong = lack ? [] : await checkOne({ lesson, place, program, cleanUp });
    const ms = Math.round(performance.now() - began);
    const took = `${(ms / 1000).toFixed(1)} s`;
    const result = lack ? 'does not apply' : wrong.length === 0 ? 'ok' : 'wrong';
    results.push({ id, result, fails, ...(lack && { why: lack }), ...(wrong.length > 0 && { wrong }), ms });
    if (lack) say(`${paint.yellow('--')}  ${id}: does not apply: ${lack}`);
    else if (wrong.length === 0) say(`${paint.green('ok')}  ${id}: fails at the start (${fails.join(', ')}), passes with its solution, ${took}`);
    else say(`${paint.red('no')}  ${id}, ${took}\n${wrong.map((line) => `    ${line}`).join('\n')}`);
  }
  const [bad, left] = ['wrong', 'does not apply'].map((word) => results.filter(({ result }) => result === word).length);
  if (bad > 0) say(`${bad} of ${wanted.length} lessons are not as they say`);
  if (left > 0) say(`${left} of ${wanted.length} ${wanted.length === 1 ? 'lesson' : 'lessons'} ${left === 1 ? 'does' : 'do'} not apply${left === wanted.length ? ': nothing was checked' : ''}`);
  if (options.json) screen.say(JSON.stringify({ next: place.nextVersion() ?? '', lessons: results }, null, 1));
  return bad > 0 || left === wanted.length ? 2 : 0;
}

// What is wrong, as lines.
async function checkOne({ lesson, place, program, cleanUp }) {
  const folder = path.join(place.own, 'check', lesson.id);
  place.reset(lesson, folder);
  const standIns = await startStandIns();
  cleanUp.push(standIns.stop);
  /** @type {Awaited<ReturnType<typeof startSim>>} */
  let sim;
  const start = async () => {
    sim = await startSim({ program, cwd: folder, run: lesson.run, env: standIns.env, cleanUp });
  };
  try {
    await start();
    const before = await runProbe({ lesson, sim, standIns });
    if (lesson.restart) await sim.stop();
    place.reset(lesson, folder, true);
    if (lesson.restart) await start();
    let after = await runProbe({ lesson, sim, standIns });
    // The watchers of next dev may be slower than we are.
    if (!after.passed) after = await runProbe({ lesson, sim, standIns });
    return [...wrongBefore(lesson, before), ...wrongAfter(after)];
  } finally {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }
}

function wrongBefore(lesson, result) {
  const failed = result.failed.map((c) => c.name);
  const codes = result.violations.map((v) => v.code);
  const out = [];
  if (result.trouble) out.push(`start/: ${result.trouble}`);
  for (const name of lesson.before.fails) if (!failed.includes(name)) out.push(`start/: the check "${name}" passes, and should fail`);
  for (const c of result.failed) if (!lesson.before.fails.includes(c.name)) out.push(`start/: the check "${c.name}" fails, and lesson.yaml does not say so: ${c.said}`);
  for (const code of lesson.before.says ?? []) if (!codes.includes(code)) out.push(`start/: ${code} was not said; said was ${codes.join(', ') || 'nothing'}`);
  if (out.length > 0) out.push(...detail(result));
  return out;
}

function wrongAfter(result) {
  if (result.passed) return [];
  return [
    ...(result.trouble ? [`solution/: ${result.trouble}`] : []),
    ...result.failed.map((c) => `solution/: the check "${c.name}" fails: ${c.said}`),
    ...result.problem.map((v) => `solution/: ${v.code}: ${v.measured ?? ''}`),
    ...detail(result),
  ];
}

const detail = (result) => [
  ...result.events.filter((e) => e.t === 'invocation_ended').map((e) => `  ${e.method} ${e.target} ${e.status} ${e.traffic} ${e.instance ?? ''} ${e.code ?? ''}`),
  ...result.log.filter((line) => line.trim()).slice(-12).map((line) => `  | ${line}`),
];

module.exports = { checkLessons };
