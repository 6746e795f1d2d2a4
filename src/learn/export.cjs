'use strict';
// `learn --export FILE LESSON`: the last run of a lesson as one HTML page: question, prediction and what became of it above the page that
// `vercel-sim report --html` makes of the run's events. It loads nothing.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { LessonError, findLesson } = require('./lesson.cjs');
const { openPlace, PlaceError } = require('./place.cjs');

const kPlace = '<main>';
const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const inline = (text) => escape(text).replace(/`([^`]+)`/g, '<code>$1</code>').replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>');

function sectionOf({ title, question, choices, predicted, hints, profile, runs }) {
  const chosen = choices.map((c, i) => {
    const marks = [i + 1 === predicted && 'the prediction', c.right && 'what happens'].filter(Boolean);
    return `<li><p>${inline(c.text)}${marks.length > 0 ? ` <strong>(${marks.join(', ')})</strong>` : ''}</p><p class="dim">${inline(c.why)}</p></li>`;
  });
  const tries = runs.map((run) => `<li>${escape(run.at.slice(0, 19).replace('T', ' '))} UTC: ${run.passed ? '<strong>it holds</strong>' : [...run.failed.map((f) => inline(f.said)), ...run.says.map(escape), ...(run.trouble ? [escape(run.trouble)] : [])].join('; ')}</li>`);
  return `<section aria-labelledby="h-lesson"><h2 id="h-lesson">Lesson: ${escape(title)}</h2>
${question.trim().split(/\n\s*\n/).map((p) => `<p>${inline(p)}</p>`).join('\n')}
<ol>${chosen.join('\n')}</ol>
<p>${predicted ? '' : 'Nothing was foretold. '}On ${escape(profile)}; ${hints === 1 ? '1 hint' : `${hints} hints`} read.</p>
<h2>Runs</h2><ol>${tries.join('\n')}</ol></section>
`;
}

async function exportRun({ program, files, options, screen }) {
  const lesson = findLesson({ program, files }, options.wanted[0]);
  const last = fs.existsSync(`${options.dir}/.vercel-sim`) ? openPlace({ dir: options.dir, files }).lastRun(lesson.id) : undefined;
  if (!last) throw new PlaceError(`lesson ${options.wanted[0]} has not been run in ${options.dir}`, `vercel-sim learn ${options.wanted[0]}`, 64);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vercel-sim-learn-'));
  try {
    const page = path.join(folder, 'page.html');
    const made = spawnSync(program, ['report', last.events, '--html', page], { encoding: 'utf8' });
    if (made.status !== 0) throw new LessonError(made.stderr.trimEnd());
    const html = fs.readFileSync(page, 'utf8');
    const at = html.indexOf(kPlace);
    if (at < 0) throw new Error('the page of the report has no <main>');
    fs.mkdirSync(path.dirname(path.resolve(options.value)), { recursive: true });
    fs.writeFileSync(options.value, html.slice(0, at + kPlace.length) + sectionOf(last.run) + html.slice(at + kPlace.length));
  } catch (error) {
    throw error.code && error.syscall ? new PlaceError(`cannot write ${options.value}: ${error.message}`, undefined, 64) : error;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  screen.say(`${options.value}: ${lesson.title}, ${last.run.runs.length === 1 ? '1 run' : `${last.run.runs.length} runs`}`);
  return 0;
}

module.exports = { exportRun };
