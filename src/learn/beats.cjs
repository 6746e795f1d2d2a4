'use strict';
// One lesson with a person: question, prediction, run, explanation, mending with a look at each save, other ways. Without a terminal the same as plain text,
// to the point where somebody has to mend something.

const { lanesOf, requestLines } = require('./lanes.cjs');
const { runProbe } = require('./probe.cjs');
const { startSim, SimError } = require('./sim.cjs');
const { startStandIns } = require('./stand-ins.cjs');

const kLookEvery = 250;

// `keys`: next(words) → the key typed, race(promise) (keys.cjs). Resolves with 'next', 'quit' or, without keys, 'done'.
async function teach({ lesson, number, count, place, program, screen, keys, cleanUp, now = () => new Date() }) {
  const { say, tell, paint } = screen;
  const folder = place.folderOf(lesson);
  const state = { predicted: undefined, runs: [], hints: 0 };

  say();
  say(paint.bold(`${number ? `Lesson ${number} of ${count}: ` : ''}${lesson.title}`) + paint.dim(`   about ${lesson.minutes} minutes`));
  say();
  const isNew = place.unpack(lesson);
  const isMended = !isNew && place.isChanged(lesson);
  const starting = prepare({ lesson, place, program, folder, cleanUp });
  starting.catch(() => {});  // it is asked for below

  // Question and prediction.
  tell(lesson.question);
  if (isMended) say(paint.yellow('  Your files are not as they were at the start; r puts them back, later.\n'));
  for (const name of lesson.files) {
    say(`  ${paint.dim(name)}`);
    for (const line of lesson.start.get(name).toString().trimEnd().split('\n')) say(paint.cyan(`    ${line}`));
    say();
  }
  lesson.choices.forEach((choice, i) => say(`  ${paint.bold(i + 1)}  ${choice.text}`));
  say();
  if (screen.hasKeys) {
    say(paint.dim(`  What do you think? Press 1 to ${lesson.choices.length}; a guess is fine, nobody counts. q quits.`));
    const key = await keys.next(lesson.choices.map((_, i) => String(i + 1)));
    state.predicted = Number(key);
    place.note(lesson.id, { predicted: state.predicted, right: Boolean(lesson.choices[state.predicted - 1].right), at: now().toISOString() });
    say(`\n  You say ${paint.bold(key)}. Let us see.\n`);
  }

  // Run.
  if (!place.isInstalled()) say(paint.dim('  Installing the lessons’ app, once, about 350 MB …'));
  else if (screen.hasKeys) say(paint.dim('  Starting the app behind vercel-sim …'));
  const { standIns, restart, ...begun } = await starting;
  let { sim } = begun;
  const keep = () =>
    place.keepRun(lesson.id, {
      events: sim.events,
      run: { id: lesson.id, title: lesson.title, question: lesson.question, choices: lesson.choices, predicted: state.predicted, hints: state.hints, profile: lesson.run.profile, runs: state.runs },
    });
  cleanUp.push(keep);
  const scale = lesson.run['time-scale'] ?? 1;
  say(`  ${lesson.run.profile}${scale > 1 ? `, with a clock ${scale} times faster: 10 s last ${Number((10 / scale).toFixed(1))} s` : ''}; the live picture: ${paint.cyan(`${sim.url}/_vercel-sim/`)}\n`);
  const look = async () => {
    const result = await runProbe({ lesson, sim, standIns, tell: (line) => say(`  ${line}`) });
    state.runs.push({ at: now().toISOString(), passed: result.passed, failed: result.failed.map(({ name, said }) => ({ name, said })), says: [...new Set(result.violations.map((v) => v.code))], from: result.first, trouble: result.trouble });
    keep();
    show(result, screen);
    return result;
  };
  // What is saved from now on is looked at, also while the requests are on their way.
  let seen = place.signature(folder);
  let result = await look();

  // Explain.
  explain(lesson, state.predicted, screen);
  say(paint.bold('  Why'));
  tell(lesson.sections.Why);
  for (const { text, url } of lesson.sources) say(paint.dim(`  ${text}: ${url}`));
  say();

  // Mend.
  say(paint.bold('  Mend it'));
  tell(lesson.sections['Mend it']);
  for (const name of lesson.files) say(`    ${paint.cyan(`${folder}/${name}`)}`);
  say();
  if (!screen.hasKeys) {
    say('  Without a terminal this is where it ends: run the same command in one, and it looks again at each save.');
    return 'done';
  }
  const help = paint.dim('  save: look again   Enter: look now   h hint   r reset   l list   n next   q quit');
  if (result.passed) markDone(place, lesson, now, screen);
  say(help);
  for (let shown = false; ; ) {
    const what = await waitForKeyOrSave(keys, place, folder, seen);
    if (what.saved) {
      seen = what.signature;
      say(`\n  ${what.saved.length > 0 ? `${what.saved.slice(0, 3).join(', ')} saved` : 'a file is gone'}. Looking again …\n`);
    }
    if (what.saved || what.key === '\r' || what.key === '\n') {
      if (!what.saved) seen = place.signature(folder);
      if (sim.isOver()) throw new SimError(`vercel-sim has ended:\n${lastOf(sim.log)}`);
      if (lesson.restart) {
        keep();
        sim = await restart(sim);
      }
      result = await look();
      if (result.passed) markDone(place, lesson, now, screen);
      say(help);
    } else if (what.key === 'h') {
      const hint = lesson.hints[Math.min(state.hints, lesson.hints.length - 1)];
      state.hints += 1;
      say(`\n  ${paint.yellow(`Hint ${Math.min(state.hints, lesson.hints.length)} of ${lesson.hints.length}`)}`);
      tell(hint);
    } else if (what.key === 'r') {
      say(`\n  Put the files of this lesson back as they were? What you have changed is lost. y or n`);
      if ((await keys.next(['y', 'n'])) === 'y') {
        place.reset(lesson);
        seen = place.signature(folder);
        say('  Done: as at the start.\n');
      } else {
        say('  Nothing was changed.\n');
      }
    } else if (what.key === 'l') {
      say();
      keys.showList();
      say();
      say(help);
    } else if (what.key === 'n') {
      if (shown || !result.passed) return 'next';
      showWays(lesson, screen);
      say(paint.dim('  n: the next lesson   q quit'));
      shown = true;
    }
  }
}

async function prepare({ lesson, place, program, folder, cleanUp }) {
  if (!place.isInstalled()) {
    const install = place.install();
    cleanUp.push(install.stop);
    await install.done;
  }
  const standIns = await startStandIns();
  cleanUp.push(standIns.stop);
  const start = () => startSim({ program, cwd: folder, run: lesson.run, env: standIns.env, cleanUp });
  const restart = async (sim) => {
    await sim.stop();
    return start();
  };
  return { sim: await start(), standIns, restart };
}

function show(result, { say, paint, width }) {
  say();
  for (const line of requestLines(result.events)) say(line);
  if (result.events.some((e) => e.t === 'invocation_ended')) say();
  for (const line of lanesOf(result.events, width())) say(line.replace('✂', paint.red('✂')));
  say();
  for (const { ok, said } of result.checks) say(`  ${ok ? paint.green('✓') : paint.red('✗')} ${said}`);
  const seen = new Set();
  for (const v of result.violations) {
    const key = `${v.code} ${v.route ?? ''}`;
    if (seen.has(key)) continue;
    seen.add(key);
    say(`  ${result.problem.includes(v) ? paint.red('✗') : paint.dim('·')} ${paint.bold(v.code)}${v.measured ? `: ${v.measured}` : ''}`);
  }
  if (seen.size > 0) say(paint.dim(`    (what that means: vercel-sim explain ${result.violations[0].code})`));
  if (result.trouble) say(`  ${paint.red('✗')} ${result.trouble}`);
  if (!result.passed) showApp(result, say, paint);
  say();
}

// What next dev has said when something of the app did not compile or threw.
function showApp(result, say, paint) {
  const broken = result.events.some((e) => e.t === 'invocation_ended' && e.status === 500 && e.traffic !== 'internal');
  if (!broken) return;
  const lines = result.log.filter((line) => line.trim() && !/^\s*(GET|POST|PUT|HEAD|OPTIONS|DELETE) |^\s*(✓|○|note:|fix|seen|why|limit|source)\s/.test(line)).slice(0, 14);
  if (lines.length === 0) return;
  say(`\n  ${paint.yellow('The app itself says:')}`);
  for (const line of lines) say(`    ${line}`);
}

function explain(lesson, predicted, { say, tell, paint }) {
  const right = lesson.choices.findIndex((choice) => choice.right) + 1;
  const line = (n) => tell(`**${n}:** ${lesson.choices[n - 1].why}`);
  if (predicted === undefined) {
    for (let n = 1; n <= lesson.choices.length; n += 1) line(n);
    return;
  }
  if (predicted === right) {
    say(paint.green(`  Just so: ${right}.`));
    line(right);
  } else {
    say(`  It is ${paint.bold(right)}. You said ${paint.bold(predicted)}, as many do:`);
    line(predicted);
    line(right);
  }
}

function showWays(lesson, { say, tell, paint }) {
  say();
  say(paint.bold('  One way to do it'));
  for (const [name, bytes] of lesson.solution) {
    say(`  ${paint.dim(name)}`);
    for (const text of bytes.toString().trimEnd().split('\n')) say(paint.cyan(`    ${text}`));
    say();
  }
  say(paint.bold('  Other ways'));
  tell(lesson.sections['Other ways']);
}

function markDone(place, lesson, now, { say, paint }) {
  const isFirst = !place.progress()[lesson.id]?.done;
  if (isFirst) place.note(lesson.id, { done: now().toISOString() });
  say(`  ${paint.green(paint.bold('It holds.'))} Try more if you like; n shows one way to do it, and others.\n`);
}

// { key }, or { saved: names, signature } when the files have changed and stand still.
async function waitForKeyOrSave(keys, place, folder, seen) {
  let timer;
  const saved = new Promise((resolve) => {
    let last = seen;
    timer = setInterval(() => {
      const now = place.signature(folder);
      const differs = (a, b) => [...a].filter(([name, value]) => b.get(name) !== value).map(([name]) => name);
      const isStill = differs(now, last).length === 0 && now.size === last.size;
      last = now;
      const names = differs(now, seen).filter((name) => name !== 'next-env.d.ts');
      const isGone = [...seen.keys()].some((name) => !now.has(name));
      if (isStill && (names.length > 0 || isGone)) resolve({ saved: names, signature: now });
    }, kLookEvery);
  });
  try {
    return await Promise.race([saved, keys.next(['h', 'r', 'l', 'n', '\r', '\n']).then((key) => ({ key }))]);
  } finally {
    clearInterval(timer);
    keys.forget();
  }
}

const lastOf = (log) => log.filter((line) => line.trim()).slice(-10).join('\n');

module.exports = { teach };
