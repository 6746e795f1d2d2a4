// What changes the run, for whoever came by the link of the terminal: its token stands behind `#`. Without it the page only shows.
import {el} from './panels.mjs';

const token = () => /^#([0-9a-f]{16})$/.exec(location.hash)?.[1] ?? '';
export const mayAct = () => token() !== '';

// What is wrong with it; empty: it is done.
export async function post(path) {
  try {
    const response = await fetch(`api/${path}`, {method: 'POST', headers: {'X-Vercel-Sim-Token': token()}});
    return response.ok ? '' : (await response.json()).error;
  } catch {
    return 'vercel-sim does not answer';
  }
}

// Fills `parent` with what can be done, and writes what came of it to `said`.
export class Actions {
  #said;
  #parent;
  #plan = el('select', {id: 'a-plan'});
  #scale = el('select', {id: 'a-scale'}, ...[1, 2, 5, 10].map((n) => el('option', {value: n}, n === 1 ? 'real time' : `limits ÷ ${n}`)));
  #offered = false;

  constructor(parent, said) {
    this.#parent = parent;
    this.#said = said;
    const button = (path, text, title) => el('button', {type: 'button', title, onclick: () => this.#post(path, text)}, text);
    parent.append(button('retire', 'New instances', 'The next request of each function gets a fresh instance (key i)'),
      button('deploy', 'Deploy', 'A new deployment under open sockets and streams (key d)'), el('label', {}, el('span', {}, 'Plan'), this.#plan), el('label', {}, el('span', {}, 'Time'), this.#scale));
    this.#plan.onchange = () => this.#post(`plan?profile=${encodeURIComponent(this.#plan.value)}`, `Plan ${this.#plan.value}`);
    this.#scale.onchange = () => this.#post(`plan?time_scale=${this.#scale.value}x`, `Limits divided by ${this.#scale.value}`);
    addEventListener('hashchange', () => this.#look());
  }

  // What the run takes, as it says at the beginning of its stream.
  offer({takes_actions, profiles = []}) {
    this.#offered = takes_actions === true;
    this.#plan.replaceChildren(...profiles.map((name) => el('option', {value: name}, name)));
    this.#look();
  }

  // What holds now; nothing while somebody is choosing.
  show(run) {
    if (!run) return;
    const set = (select, value) => {
      if (document.activeElement === select) return;
      if (![...select.options].some((o) => o.value === value)) select.prepend(el('option', {value}, value));
      select.value = value;
    };
    set(this.#plan, run.profile);
    set(this.#scale, String(run.timeScale));
  }

  // Ends the process of an instance; null where that cannot be asked for.
  get kill() {
    return this.#parent.hidden ? null : (name) => this.#post(`kill?instance=${encodeURIComponent(name)}`, `Kill ${name}`);
  }

  #look() {
    this.#parent.hidden = !this.#offered || !mayAct();
  }

  async #post(path, what) {
    this.#said.textContent = `${what}: ${(await post(path)) || 'done'}`;
  }
}
