// A lesson of `vercel-sim learn` above the lanes: the beats of the terminal, from the same state. Its keys are buttons for whoever came by the link.
import {el, link, replace} from './panels.mjs';
import {mayAct, post} from './actions.mjs';

const kBeats = ['Question', 'Predict', 'Run', 'Explain', 'Fix', 'See again', 'Other ways'];

// Markdown as far as the lessons use it: `words` and **words**; paragraphs, lists and fenced code.
const spans = (text) => text.split(/(`[^`]+`|\*\*.+?\*\*)/).filter(Boolean).map((part) =>
  part[0] === '`' ? el('code', {}, part.slice(1, -1)) : part.startsWith('**') ? el('strong', {}, part.slice(2, -2)) : part);

function prose(markdown) {
  const out = [];
  for (const [, code, block] of markdown.matchAll(/```\w*\n([^]*?)```|((?:(?!```).+(?:\n|$))+)/g)) {
    const lines = (block ?? '').trim().split('\n'), isItem = (line) => /^(-|\d\.) /.test(line);
    if (code !== undefined) out.push(codeOf('Code', code.trimEnd()));
    else if (lines.some(isItem)) {
      const at = lines.findIndex(isItem), items = [];
      if (at > 0) out.push(el('p', {}, ...spans(lines.slice(0, at).join(' '))));
      for (const line of lines.slice(at)) isItem(line) ? items.push(line.replace(/^\S+ /, '')) : items.push(`${items.pop()} ${line.trim()}`);
      out.push(el('ul', {}, ...items.map((item) => el('li', {}, ...spans(item)))));
    } else if (block.trim()) out.push(el('p', {}, ...spans(lines.join(' '))));
  }
  return out;
}

const codeOf = (title, text) => el('pre', {tabindex: '0', role: 'region', 'aria-label': title}, text);
const filesOf = (files) => files.flatMap(({name, text}) => [el('p', {class: 'dim mono'}, name), codeOf(name, text)]);

// What is to be answered, or what was.
function choicesOf(state, press) {
  const waits = press && state.keys.some(({key}) => key === '1');
  const why = new Map((state.answers ?? []).map((answer) => [answer.n, answer.why]));
  return el('ol', {class: 'choices'}, ...state.choices.map((text, i) => {
    const n = i + 1, marks = [n === state.predicted && 'you said', n === state.right && 'what happens'].filter(Boolean);
    if (waits) return el('li', {}, el('button', {type: 'button', key: String(n), onclick: () => press(String(n))}, el('strong', {}, `${n} `), ...spans(text)));
    return el('li', {class: 'card'}, el('strong', {}, `${n} `), ...spans(text), ...marks.map((mark, j) => el('span', {class: `tag ${n === state.right ? 'good' : 'warn'}`, key: `m ${j}`}, mark)),
      why.has(n) ? el('p', {class: 'dim'}, ...spans(why.get(n))) : null);
  }));
}

function lookOf({told = [], look}) {
  const mark = (good, text) => el('li', {class: good ? 'good' : 'bad'}, good ? '✓ ' : '✗ ', ...text);
  return [told.length > 0 ? codeOf('What was sent, and what came back', told.join('\n')) : null,
    look ? el('ul', {class: 'checks'}, ...look.checks.map(({ok, said}) => mark(ok, spans(said))),
      ...look.verdicts.map((v) => mark(!v.isProblem, [el('code', {}, v.code), v.measured ? `: ${v.measured}` : ''])), look.trouble ? mark(false, [look.trouble]) : null) : null,
    look?.app.length > 0 ? codeOf('What the app itself says', look.app.join('\n')) : null];
}

export function showLesson(parent, state) {
  const part = (id) => document.getElementById(id);
  const press = mayAct() ? async (key) => {
    const error = await post(`lesson?key=${encodeURIComponent(key)}`);
    if (error) part('l-said').textContent = error;
  } : null;
  parent.hidden = false;
  part('h-lesson').textContent = `${state.number ? `Lesson ${state.number} of ${state.count}: ` : ''}${state.title}`;
  const current = kBeats.indexOf(state.beat);
  part('l-beats').replaceChildren(...kBeats.map((name, i) => el('li', {class: i < current ? 'done' : null, 'aria-current': i === current ? 'step' : null}, name)));
  const question = [...prose(state.question), ...filesOf(state.files)];
  replace(part('l-body'),
    ...(state.predicted === undefined ? question : [el('details', {key: 'q'}, el('summary', {key: 's q'}, 'The question'), ...question)]), choicesOf(state, press),
    state.told || state.look ? el('h3', {}, `What happens${state.plan ? ` on ${state.plan}` : ''}`) : null, ...lookOf(state),
    ...(state.why ? [el('h3', {}, 'Why'), ...prose(state.why), el('ul', {class: 'dim'}, ...state.sources.map(({text, url}) => el('li', {}, `${text}: `, link(url))))] : []),
    ...(state.mend ? [el('h3', {}, 'Fix'), ...prose(state.mend), el('ul', {}, ...state.edit.map((file) => el('li', {}, el('code', {}, file)))), el('p', {class: 'dim'}, 'Each save is looked at.')] : []),
    ...(state.hints ?? []).map((hint, i) => el('div', {class: 'card'}, el('h3', {}, `Hint ${i + 1} of ${state.hintCount}`), ...prose(hint))),
    ...(state.ways ? [el('h3', {}, 'One way to do it'), ...filesOf(state.ways.files), el('h3', {}, 'Other ways'), ...prose(state.ways.text)] : []),
    state.lessons ? el('ol', {}, ...state.lessons.map((l) => el('li', {}, `${l.title} `, l.done ? el('span', {class: 'tag good'}, 'done') : l.begun ? el('span', {class: 'tag warn'}, 'begun') : ''))) : null);
  const said = [state.note, state.doing].filter(Boolean).join(' ') || (press || state.keys.length === 0 ? '' : 'The lesson waits in its terminal; open the link that it shows to answer here.');
  if (part('l-said').textContent !== said) part('l-said').textContent = said;
  // The choices are buttons of their own.
  replace(part('l-keys'), ...(press ? state.keys.filter(({key}) => !/\d/.test(key)).map(({key, does}) => el('button', {type: 'button', key, onclick: () => press(key)}, does[0].toUpperCase() + does.slice(1))) : []));
}
