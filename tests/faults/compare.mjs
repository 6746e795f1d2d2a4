// What a client saw beside what the events tell of it. Pure: records in, sentences out.
//
// An outcome of a client: {n, how, status?, code?, id?, isWhole, error?, left?, version?, sentAt?, doneAt?}. `n` stands in its URL as ?n=; `status`
// is missing when no head came; `left`: the client went away itself; `version`: of the function's source, as the answer tells it.

export const numberOf = (target) => Number(/[?&]n=(\d+)/.exec(target ?? "")?.[1]);

// What was written so far of a run, folded: what ended by the number of its request, what has begun and not ended, the states of the instances,
// and the sequence numbers that are missing.
export class EventLog {
  ends = new Map();
  open = new Map();
  instances = new Map();
  pids = new Map();
  gaps = [];
  seq = 0;
  twice = [];
  #ended = new Set();

  add(event) {
    if (event.seq !== this.seq + 1) this.gaps.push([this.seq, event.seq]);
    this.seq = event.seq;
    if (event.t === "invocation_started") this.open.set(event.id, event);
    if (event.t === "instance_changed") {
      this.instances.set(event.instance, event.to);
      if (event.pid) this.pids.set(event.instance, event.pid);
    }
    if (event.t !== "invocation_ended") return;
    this.open.delete(event.id);
    if (event.id > 0 && this.#ended.has(event.id)) this.twice.push(event.id);
    if (event.id > 0) this.#ended.add(event.id);
    const n = numberOf(event.target);
    if (n) this.ends.set(n, [...(this.ends.get(n) ?? []), event]);
  }
}

const kNobody = ["client", "emulator"];
const shown = ({ status, ended_by, code, verdicts, client_left }) => ({ status, ended_by, code, verdicts: verdicts?.map((v) => v.code), client_left });

// Why the two disagree, or null. `mayBeLost`: events could not be written meanwhile.
function disagreement(seen, told, mayBeLost) {
  if (told.length > 1) return "more than one outcome";
  if (told.length === 0) {
    // The connection was never taken, or nobody was there to be asked: nothing is counted.
    return seen.status === undefined || seen.code === "SIM_NOT_READY" || mayBeLost ? null : "no outcome";
  }
  const [end] = told;
  if (seen.left) return null; // what it would have got is not known
  if (seen.status === undefined) return end.ended_by === "function" && end.status !== 0 ? "told as answered, and nobody heard it" : null;
  if (end.status !== seen.status) return "another status";
  if (seen.id && end.request_id && seen.id !== end.request_id) return "another request's outcome";
  if (!seen.isWhole && end.ended_by === "function") return "told as whole, and cut";
  if (seen.isWhole && kNobody.includes(end.ended_by) && !seen.code) return "told as left, and heard to the end";
  if (seen.isWhole && end.client_left) return "told as left, and heard to the end";
  if (seen.isWhole && seen.status < 400 && end.ended_by === "app" && end.code) return "told as broken, and whole";
  if ((seen.code ?? undefined) !== undefined && end.code !== undefined && seen.code !== end.code) return "another code";
  return null;
}

// An answer that was asked for after another one had come is never of an older source.
function stale(outcomes) {
  const wrong = [];
  const answers = outcomes.filter(({ version }) => version !== undefined);
  const byEnd = [...answers].sort((a, b) => a.doneAt - b.doneAt);
  let next = 0;
  let newest = -1;
  for (const seen of [...answers].sort((a, b) => a.sentAt - b.sentAt)) {
    while (next < byEnd.length && byEnd[next].doneAt < seen.sentAt) newest = Math.max(newest, byEnd[next++].version);
    if (seen.version < newest) wrong.push(`an answer of source ${seen.version} after one of ${newest}: client ${JSON.stringify(seen)}`);
  }
  return wrong;
}

// Everything that is wrong with them, each with the number and the kind of the request. Empty: they agree.
export function disagreements(outcomes, log, { mayBeLost = false } = {}) {
  const wrong = [];
  for (const seen of outcomes) {
    const told = log.ends.get(seen.n) ?? [];
    const what = disagreement(seen, told, mayBeLost);
    if (what) wrong.push(`${what}: client ${JSON.stringify(seen)}, events ${JSON.stringify(told.map(shown))}`);
    if (seen.error === "no outcome") wrong.push(`no outcome for the client: ${JSON.stringify(seen)}, events ${JSON.stringify(told.map(shown))}`);
  }
  for (const id of log.twice) wrong.push(`invocation ${id} ended twice`);
  if (!mayBeLost) for (const [from, to] of log.gaps) wrong.push(`events between ${from} and ${to} are missing`);
  return [...wrong, ...stale(outcomes)];
}

// Requests of the events that no client has sent: their numbers.
export const strangers = (log, sent) => [...log.ends.keys()].filter((n) => !sent.has(n));

// A series of figures that grows: the median of its last quarter above that of its second by more than `allowed`. Null: it does not.
export function growth(series, allowed) {
  const quarter = Math.floor(series.length / 4);
  if (quarter < 3) return null;
  const median = (part) => [...part].sort((a, b) => a - b)[part.length >> 1];
  const [early, late] = [median(series.slice(quarter, 2 * quarter)), median(series.slice(-quarter))];
  return late - early > allowed ? { early, late } : null;
}
