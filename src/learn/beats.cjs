'use strict';
// One lesson with a person: question, prediction, run, explanation, mending with a look at each save, other ways. Without a terminal the same as plain text,
// to the point where somebody has to mend something. What is said on the terminal is set on the board, too, which the page draws.

const { lanesOf, requestLines } = require('./lanes.cjs');
const { PlaceError } = require('./place.cjs');
const { runProbe } = require('./probe.cjs');
const { startSim, SimError } = require('./sim.cjs');
const { startStandIns } = require('./stand-ins.cjs');

const kLookEvery = 250;
const texts = (files) => [...files].map(([name, bytes]) => ({ name, text: bytes.toString().trimEnd() }));

// `board`: what the page shows of the same, and the keys of both (board.cjs); `window`: where the page is (window.cjs), or undefined; `showList()` lists the lessons.
// Resolves with 'next' or, without keys, 'done'.
async function teach({ lesson, number, count, place, program, screen, board, window, showList, cleanUp, now = () => new Date() }) {
  const { say, tell, paint } = screen;
  const folder = place.folderOf(lesson);
  const state = { predicted: undefined, runs: [], hints: 0 };
  const c = { lesson, place, program, screen, board, window, showList, cleanUp, now, folder, state };

  if (place.isInstalled()) mustFit(c);
  const isNew = place.unpack(lesson);
  const isMended = !isNew && place.isChanged(lesson);
  const starting = prepare(c);
  starting.catch(() => {});  // it is asked for below
  await ask(c, { number, count, isMended });

  const doing = place.isInstalled() ? 'Starting the app behind vercel-sim …' : 'Installing the lessons’ app, once, about 350 MB …';
  if (screen.hasKeys || !place.isInstalled()) say(paint.dim(`  ${doing}`));
  board.set({ beat: 'Run', doing });
  const run = await starting;
  cleanUp.push(() => keep(c, run));
  const scale = lesson.run['time-scale'] ?? 1;
  const clock = scale > 1 ? `, with a clock ${scale} times faster: 10 s last ${Number((10 / scale).toFixed(1))} s` : '';
  say(`  ${lesson.run.profile}${clock}; the live picture: ${paint.cyan(window?.link ?? `${run.sim.url}/_vercel-sim/`)}\n`);
  board.set({ plan: `${lesson.run.profile}${clock}`, app: run.sim.url });

  // What is saved from now on is looked at, also while the requests are on their way.
  const seen = place.signature(folder);
  const result = await look(c, run);
  explain(c);
  say(paint.bold('  Mend it'));
  tell(lesson.sections['Mend it']);
  for (const name of lesson.files) say(`    ${paint.cyan(`${folder}/${name}`)}`);
  say();
  board.set({ beat: 'Fix', mend: lesson.sections['Mend it'], edit: lesson.files.map((name) => `${folder}/${name}`), hintCount: lesson.hints.length, hints: [] });
  if (!screen.hasKeys) {
    say('  Without a terminal this is where it ends: run the same command in one, and it looks again at each save.');
    return 'done';
  }
  return mend(c, run, result, seen);
}

// Question and prediction.
async function ask({ lesson, place, screen, board, state, now }, { number, count, isMended }) {
  const { say, tell, paint } = screen;
  const kept = 'Your files are not as they were at the start; r puts them back, later.';
  board.begin({ beat: 'Predict', id: lesson.id, number, count, title: lesson.title, minutes: lesson.minutes, question: lesson.question, files: texts(new Map(lesson.files.map((name) => [name, lesson.start.get(name)]))), choices: lesson.choices.map(({ text }) => text), note: isMended ? kept : '' });
  say();
  say(paint.bold(`${number ? `Lesson ${number} of ${count}: ` : ''}${lesson.title}`) + paint.dim(`   about ${lesson.minutes} minutes`));
  say();
  tell(lesson.question);
  if (isMended) say(paint.yellow(`  ${kept}\n`));
  for (const name of lesson.files) {
    say(`  ${paint.dim(name)}`);
    for (const line of lesson.start.get(name).toString().trimEnd().split('\n')) say(paint.cyan(`    ${line}`));
    say();
  }
  lesson.choices.forEach((choice, i) => say(`  ${paint.bold(i + 1)}  ${choice.text}`));
  say();
  if (!screen.hasKeys) return;
  say(paint.dim(`  What do you think? Press 1 to ${lesson.choices.length}; a guess is fine, nobody counts. q quits.`));
  const key = await board.next(lesson.choices.map((_, i) => ({ key: String(i + 1), does: `I say ${i + 1}` })));
  state.predicted = Number(key);
  board.set({ predicted: state.predicted, note: '' });
  place.note(lesson.id, { predicted: state.predicted, right: Boolean(lesson.choices[state.predicted - 1].right), at: now().toISOString() });
  say(`\n  You say ${paint.bold(key)}. Let us see.\n`);
}

// What is exported of it.
function keep({ place, lesson, state }, run) {
  const { id, title, question, choices } = lesson;
  place.keepRun(id, { events: run.sim.events, run: { id, title, question, choices, predicted: state.predicted, hints: state.hints, profile: lesson.run.profile, runs: state.runs } });
}

// The requests, what came of them, and what was said of it.
async function look(c, run) {
  const { lesson, screen, board, state, now } = c;
  const told = [];
  board.set({ told, look: undefined, doing: 'The requests are on their way …' });
  const tell = (line) => {
    screen.say(`  ${line}`);
    told.push(line);
    board.set({ told });
  };
  const result = await runProbe({ lesson, sim: run.sim, standIns: run.standIns, tell });
  state.runs.push({ at: now().toISOString(), passed: result.passed, failed: result.failed.map(({ name, said }) => ({ name, said })), says: [...new Set(result.violations.map((v) => v.code))], from: result.first, trouble: result.trouble });
  keep(c, run);
  const seen = { passed: result.passed, checks: result.checks.map(({ ok, said }) => ({ ok, said })), verdicts: verdictsOf(result), trouble: result.trouble ?? '', app: result.passed ? [] : result.app };
  show(result, seen, screen);
  board.set({ doing: '', look: seen });
  return result;
}

// Mending: each save is looked at, each key does what it says. Resolves with 'next'.
async function mend(c, run, first, before) {
  const { lesson, place, screen, board, folder } = c;
  const { say, paint } = screen;
  const keys = [['\r', 'look now'], ['h', 'hint'], ['r', 'reset'], ['l', 'list'], ['n', 'next']];
  const help = paint.dim('  save: look again   Enter: look now   h hint   r reset   l list   n next   q quit');
  let [result, seen, areShown] = [first, before, false];
  if (result.passed) markDone(c);
  say(help);
  for (;;) {
    const what = await waitForKeyOrSave(board, keys.map(([key, does]) => ({ key, does })), place, folder, seen);
    if (what.saved || what.key === '\r') {
      const saved = what.saved && (what.saved.length > 0 ? `${what.saved.slice(0, 3).join(', ')} saved` : 'a file is gone');
      if (saved) say(`\n  ${saved}. Looking again …\n`);
      board.set({ beat: 'See again', note: saved ? `${saved}. Looking again …` : '' });
      seen = what.signature ?? place.signature(folder);
      if (run.sim.isOver()) throw new SimError(`vercel-sim has ended:\n${lastOf(run.sim.log)}`);
      if (lesson.restart) {
        keep(c, run);
        board.set({ doing: 'Starting the app anew …' });
        run.sim = await run.restart();
      }
      result = await look(c, run);
      board.set({ note: '' });
      if (result.passed) markDone(c);
      say(help);
    } else if (what.key === 'h') {
      showHint(c);
    } else if (what.key === 'r') {
      if (await reset(c)) seen = place.signature(folder);
    } else if (what.key === 'l') {
      say();
      c.showList();
      say();
      say(help);
    } else {
      if (areShown || !result.passed) return 'next';
      showWays(c);
      say(paint.dim('  n: the next lesson   q quit'));
      keys.at(-1)[1] = 'the next lesson';
      areShown = true;
    }
  }
}

function showHint({ lesson, screen, board, state }) {
  const { say, tell, paint } = screen;
  const n = Math.min(state.hints + 1, lesson.hints.length);
  state.hints += 1;
  say(`\n  ${paint.yellow(`Hint ${n} of ${lesson.hints.length}`)}`);
  tell(lesson.hints[n - 1]);
  board.set({ hints: lesson.hints.slice(0, n) });
}

// True when the files are as at the start again.
async function reset({ lesson, place, screen, board }) {
  const question = 'Put the files of this lesson back as they were? What you have changed is lost.';
  screen.say(`\n  ${question} y or n`);
  board.set({ note: question });
  const isYes = (await board.next([{ key: 'y', does: 'put them back' }, { key: 'n', does: 'leave them' }])) === 'y';
  if (isYes) place.reset(lesson);
  const done = isYes ? 'Done: as at the start.' : 'Nothing was changed.';
  screen.say(`  ${done}\n`);
  board.set({ note: done });
  return isYes;
}

async function prepare(c) {
  const { lesson, place, program, folder, window, cleanUp } = c;
  if (!place.isInstalled()) {
    const install = place.install();
    cleanUp.push(install.stop);
    await install.done;
    mustFit(c);
  }
  const standIns = await startStandIns();
  cleanUp.push(standIns.stop);
  const run = { sim: undefined, standIns, restart: undefined };
  const start = async () => {
    const sim = await startSim({ program, cwd: folder, run: lesson.run, env: standIns.env, cleanUp });
    window?.follow(sim);
    return sim;
  };
  run.restart = async () => {
    await run.sim.stop();
    return start();
  };
  run.sim = await start();
  return run;
}

function mustFit({ lesson, place }) {
  const lack = place.lacks(lesson);
  if (lack) throw new PlaceError(`this lesson does not apply here: ${lack}`, `delete ${place.root}/node_modules: the Next of the lessons is installed then`, 64);
}

function show(result, { checks, verdicts, trouble, app }, { say, paint, width }) {
  say();
  for (const line of requestLines(result.events)) say(line);
  if (result.events.some((e) => e.t === 'invocation_ended')) say();
  for (const line of lanesOf(result.events, width())) say(line.replace('✂', paint.red('✂')));
  say();
  for (const { ok, said } of checks) say(`  ${ok ? paint.green('✓') : paint.red('✗')} ${said}`);
  for (const { code, measured, isProblem } of verdicts) say(`  ${isProblem ? paint.red('✗') : paint.dim('·')} ${paint.bold(code)}${measured ? `: ${measured}` : ''}`);
  if (verdicts.length > 0) say(paint.dim(`    (what that means: vercel-sim explain ${verdicts[0].code})`));
  if (trouble) say(`  ${paint.red('✗')} ${trouble}`);
  if (app.length > 0) say(`\n  ${paint.yellow('The app itself says:')}`);
  for (const line of app) say(`    ${line}`);
  say();
}

// Each code once for a route.
function verdictsOf(result) {
  const seen = new Map();
  for (const v of result.violations) {
    const key = `${v.code} ${v.route ?? ''}`;
    if (!seen.has(key)) seen.set(key, { code: v.code, measured: v.measured ?? '', isProblem: result.problem.includes(v) });
  }
  return [...seen.values()];
}

function explain({ lesson, screen, board, state }) {
  const { say, tell, paint } = screen;
  const right = lesson.choices.findIndex((choice) => choice.right) + 1;
  const { predicted } = state;
  const line = (n) => tell(`**${n}:** ${lesson.choices[n - 1].why}`);
  const told = predicted === undefined ? lesson.choices.map((_, i) => i + 1) : [...new Set([predicted, right])];
  if (predicted === right) say(paint.green(`  Just so: ${right}.`));
  else if (predicted !== undefined) say(`  It is ${paint.bold(right)}. You said ${paint.bold(predicted)}, as many do:`);
  told.forEach(line);
  say(paint.bold('  Why'));
  tell(lesson.sections.Why);
  for (const { text, url } of lesson.sources) say(paint.dim(`  ${text}: ${url}`));
  say();
  board.set({ right, answers: told.map((n) => ({ n, why: lesson.choices[n - 1].why })), why: lesson.sections.Why, sources: lesson.sources });
}

function showWays({ lesson, screen, board }) {
  const { say, tell, paint } = screen;
  say();
  say(paint.bold('  One way to do it'));
  for (const { name, text } of texts(lesson.solution)) {
    say(`  ${paint.dim(name)}`);
    for (const line of text.split('\n')) say(paint.cyan(`    ${line}`));
    say();
  }
  say(paint.bold('  Other ways'));
  tell(lesson.sections['Other ways']);
  board.set({ beat: 'Other ways', note: '', ways: { files: texts(lesson.solution), text: lesson.sections['Other ways'] } });
}

function markDone({ lesson, place, screen, board, now }) {
  const { say, paint } = screen;
  if (!place.progress()[lesson.id]?.done) place.note(lesson.id, { done: now().toISOString() });
  say(`  ${paint.green(paint.bold('It holds.'))} Try more if you like; n shows one way to do it, and others.\n`);
  board.set({ note: 'It holds. Try more if you like; “next” shows one way to do it, and others.' });
}

// { key }, or { saved: names, signature } when the files have changed and stand still.
async function waitForKeyOrSave(board, keys, place, folder, seen) {
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
    return await Promise.race([saved, board.next(keys).then((key) => ({ key }))]);
  } finally {
    clearInterval(timer);
    board.forget();
  }
}

const lastOf = (log) => log.filter((line) => line.trim()).slice(-10).join('\n');

module.exports = { teach };
