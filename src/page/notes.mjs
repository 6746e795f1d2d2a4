// The part of a story that is no event: header fields, and what was printed meanwhile. A run keeps them in memory, and is asked when a story is opened.
import {isOpen} from './fold.mjs';
import {count, duration} from './story.mjs';
import {el} from './panels.mjs';

const kAgain = 1000, kSettled = 400; // ms: while it goes on; what is printed just before an end is read a moment later

export class Notes {
  #key = '';
  #asked = -Infinity;
  #settled = false;
  #changed;
  data = null;
  why = '';
  version = 0;

  // `changed`: what is known of the story is another thing now.
  constructor(changed) {
    this.#changed = changed;
  }

  // `time`: of a clock of the page, ms.
  want(call, time) {
    const key = `${call.key} ${call.ended}`;
    if (key !== this.#key) {
      if (this.#key.split(' ')[0] !== call.key) Object.assign(this, {data: null, why: ''});
      this.#key = key;
      this.#settled = false;
      this.#asked = -Infinity;
    }
    if (this.#settled || time - this.#asked < (isOpen(call) ? kAgain : kSettled)) return;
    this.#settled = !isOpen(call) && this.#asked > -Infinity;
    this.#asked = time;
    this.#ask(key, call);
    if (!this.#settled && !isOpen(call)) setTimeout(this.#changed, kSettled + 20);
  }

  async #ask(key, call) {
    const {data, why} = /^\d+$/.test(call.key) ? await answerTo(call.key) : {data: null, why: 'It was refused before it was passed on: its header fields are not kept.'};
    if (key !== this.#key) return;
    const same = why === this.why && JSON.stringify(data) === JSON.stringify(this.data);
    Object.assign(this, {data: data ?? this.data, why});
    if (same) return;
    this.version++;
    this.#changed();
  }
}

async function answerTo(id) {
  try {
    const response = await fetch(`api/invocations/${id}`);
    return response.ok ? {data: await response.json(), why: ''} : {data: null, why: (await response.json()).error};
  } catch {
    return {data: null, why: 'vercel-sim does not answer: they are kept while it runs, and in no file.'};
  }
}

export const kNotInFiles = 'Header fields and what was printed are kept by a run while it goes on, and in no file.';

// For showStory(). `notes`: {data, why}.
export function notesOf(call, {data, why}) {
  const out = [];
  for (const [name, title] of [['request', 'Request'], ['response', 'Response']]) {
    const head = data?.[name];
    if (!head) continue;
    const fields = count(head.headers.length, 'header field') + (head.left_out ? `, ${head.left_out} more left out` : '');
    out.push(el('details', {key: `head ${name}`}, el('summary', {key: `s head ${name}`}, `${title}: ${fields}`),
      el('table', {}, el('tbody', {}, ...head.headers.map((h) => el('tr', {}, el('th', {scope: 'row'}, h.name), el('td', {class: 'mono'}, h.value)))))));
  }
  const gone = data && !data.request && data.notes_left_out > 0;
  if (gone) out.push(el('p', {class: 'dim'}, 'Its header fields are not kept any more: the newest 1.5 MB are.'));
  if (why) out.push(el('p', {class: 'dim'}, why));
  if (!data || data.lines.length === 0) return out.length > 0 ? [el('h3', {}, 'Headers'), ...out] : out;
  const unsure = data.lines.filter((line) => !line.sure).length;
  const whose = !call.instance ? 'next dev has printed these, for whichever request: whose they are is not known.'
    : `Others ran on ${call.instance} at the same time: whose ${unsure === data.lines.length ? 'these lines' : 'lines with ? in front'} are is not known.`;
  return [el('h3', {}, 'Headers'), ...out, el('h3', {}, 'Printed meanwhile'), unsure > 0 ? el('p', {class: 'dim'}, whose) : null,
    el('ul', {class: 'printed'}, ...data.lines.map((line) => el('li', {class: line.error ? 'bad' : null}, el('span', {class: 'dim'}, `${line.sure ? '' : '? '}+${duration(line.at_ms - call.began)}`), el('code', {}, line.text)))),
    data.lines_left_out > 0 ? el('p', {class: 'dim'}, `and ${count(data.lines_left_out, 'line')} more`) : null];
}
