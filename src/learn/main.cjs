'use strict';
// `vercel-sim learn` behind the command line, which the program has checked. Ends what it has started, whichever way it ends.

const fs = require('node:fs');
const { teach } = require('./beats.cjs');
const { makeBoard } = require('./board.cjs');
const { checkLessons } = require('./check.cjs');
const { exportRun } = require('./export.cjs');
const { LessonError, builtinIds, findLesson, readBuiltin, readBuiltins } = require('./lesson.cjs');
const { openPlace, PlaceError } = require('./place.cjs');
const { makeScreen } = require('./screen.cjs');
const { SimError } = require('./sim.cjs');
const { openWindow } = require('./window.cjs');

const kDir = 'vercel-sim-lessons';

function optionsOf(words) {
  const out = { wanted: [], dir: kDir, what: 'teach' };
  for (const word of words) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === 'dir') out.dir = value;
    else if (name === 'json') out.json = true;
    else if (name === 'no-color') out.noColour = true;
    else if (name === 'color') out.colour = true;
    else if (name) Object.assign(out, { what: name, value });
    else out.wanted.push(word);
  }
  return out;
}

async function main({ program, words, files, input = process.stdin, output = process.stdout }) {
  const options = optionsOf(words);
  const screen = makeScreen({ input, output, noColour: options.noColour, colour: options.colour });
  const cleanUp = [];
  let ending;
  // The last that was started is ended first.
  const finish = (code) =>
    (ending ??= (async () => {
      screen.close();
      for (const step of cleanUp.reverse()) {
        try {
          await step();
        } catch (error) {
          process.stderr.write(`error: ${error.message}\n`);
        }
      }
      process.exit(code);
    })());
  for (const [name, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) process.on(name, () => void finish(code));
  // `| head` has read enough.
  output.on('error', () => void finish(0));
  const context = { program, files, options, screen, cleanUp, finish };
  try {
    const code = await { teach: learn, list, reset, check: checkLessons, export: exportRun }[options.what](context);
    await finish(code);
  } catch (error) {
    if (ending) return;  // of what is being stopped
    screen.close();
    if (error instanceof LessonError) process.stderr.write(`${error.message}\n`);
    else if (error instanceof PlaceError || error instanceof SimError) process.stderr.write(`error: ${error.message}\n${'fix' in error && error.fix ? `fix: ${error.fix}\n` : ''}`);
    else process.stderr.write(`error: the lessons themselves failed: ${error.stack}\n`);
    await finish(error instanceof LessonError ? 64 : (error.code > 0 ? error.code : 70));
  }
}

const lessonsOf = ({ program, files, options }) => {
  const progress = fs.existsSync(`${options.dir}/.vercel-sim`) ? openPlace({ dir: options.dir, files }).progress() : {};
  return readBuiltins({ program, files }).map(({ id, title, minutes }) => ({ number: Number(id.slice(0, 2)), name: id.slice(3), title, minutes, begun: Boolean(progress[id]?.predicted), done: Boolean(progress[id]?.done) }));
};

// Marks and titles; reads the folder if there is one, and makes none.
function showList(context) {
  const { say, paint } = context.screen;
  for (const { number, name, title, minutes, begun, done } of lessonsOf(context))
    say(`  ${done ? paint.green('✓') : begun ? '…' : ' '} ${String(number).padStart(2)}  ${title.padEnd(38)} ${paint.dim(`${String(minutes).padStart(2)} min   ${name}`)}`);
}

async function list(context) {
  if (context.options.json) process.stdout.write(`${JSON.stringify(lessonsOf(context), null, 1)}\n`);
  else showList(context);
  return 0;
}

async function reset({ program, files, options, screen }) {
  const lesson = findLesson({ program, files }, options.wanted[0]);
  const place = openPlace({ dir: options.dir, files });
  if (!fs.existsSync(place.folderOf(lesson))) throw new PlaceError(`lesson ${options.wanted[0]} has not been begun in ${options.dir}`, `vercel-sim learn ${options.wanted[0]}`, 64);
  place.reset(lesson);
  place.note(lesson.id, { done: undefined, predicted: undefined, right: undefined });
  screen.say(`${lesson.title}: as it was at the start, in ${place.folderOf(lesson)}`);
  return 0;
}

async function learn(context) {
  const { program, files, options, screen, cleanUp, finish } = context;
  const ids = builtinIds(files);
  const place = openPlace({ dir: options.dir, files });
  const firstOpen = () => ids.find((id) => !place.progress()[id]?.done) ?? ids[0];
  let lesson = options.wanted.length > 0 ? findLesson({ program, files }, options.wanted[0]) : readBuiltin({ program, files, id: firstOpen() });
  const board = makeBoard();
  takeKeys(screen, board, finish, place.root);
  const window = screen.hasKeys ? await openWindow({ program, board }) : undefined;
  if (window) screen.say(`${screen.paint.dim('  The same in the browser:')}\n  ${screen.paint.cyan(window.link)}`);
  const show = () => {
    showList(context);
    board.set({ lessons: lessonsOf(context) });
  };
  for (;;) {
    const index = ids.indexOf(lesson.id);
    const how = await teach({ lesson, number: index + 1, count: ids.length, place, program, screen, board, window, showList: show, cleanUp });
    if (how !== 'next') return 0;
    await endAll(cleanUp);
    if (index < 0 || index + 1 === ids.length) {
      screen.say('\n  That was the last lesson.\n');
      showList(context);
      return 0;
    }
    lesson = readBuiltin({ program, files, id: ids[index + 1] });
  }
}

async function endAll(cleanUp) {
  for (const step of cleanUp.splice(0).reverse()) await step();
}

// q, Ctrl-C and Ctrl-D end the run whatever is waited for; the other keys are the board's.
function takeKeys(screen, board, finish, dir) {
  screen.open((key) => {
    if (key === '\x03') return void finish(130);
    if (key !== 'q' && key !== '\x04') return void board.press(key === '\n' ? '\r' : key);
    screen.say(`\n  Your files stay in ${dir}; vercel-sim learn goes on where you were.\n`);
    void finish(0);
  });
}

module.exports = { main };
