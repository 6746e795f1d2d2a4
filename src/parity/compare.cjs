'use strict';
// Two captures, row by row of docs/fidelity.json. Pure.

const { plain } = require('../learn/others.cjs');

// How far two numbers may be apart and be the same: what a timer, a network and a file system of another block size add.
const kApart = { seconds: (a) => Math.max(3, a / 20), megabytes: (a) => a / 10 };

// [{item: 'above.status', left, right}] of what differs.
function differences(left, right, item = '') {
  const isPlain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
  if (isPlain(left) && isPlain(right))
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) => differences(left[key], right[key], item ? `${item}.${key}` : key));
  const apart = kApart[item.split('.').at(-1)];
  if (apart && typeof left === 'number' && typeof right === 'number') return Math.abs(left - right) <= apart(Math.max(left, right)) ? [] : [{ item, left, right }];
  if (Array.isArray(left) && Array.isArray(right)) {
    const [only, other] = [left.filter((one) => !right.includes(one)), right.filter((one) => !left.includes(one))];
    return only.length + other.length > 0 ? [{ item, left: only, right: other }] : [];
  }
  return JSON.stringify(left) === JSON.stringify(right) ? [] : [{ item, left, right }];
}

// Of each row {id, says, result: 'same' | 'differs' | 'not probed', probes, differences, why}.
function compare(left, right, rows) {
  const of = (capture) => new Map(capture.probes.map((one) => [one.probe, one]));
  const [lefts, rights] = [of(left), of(right)];
  const names = [...new Set([...lefts.keys(), ...rights.keys()])];
  return rows.map(({ id, says }) => {
    const probes = names.filter((name) => (lefts.get(name) ?? rights.get(name)).rows.includes(id));
    const both = probes.filter((name) => lefts.get(name)?.answer && rights.get(name)?.answer);
    const found = both.flatMap((name) => differences(lefts.get(name).answer, rights.get(name).answer).map((one) => ({ probe: name, ...one })));
    const why = probes.length === 0 ? 'no probe' : probes.filter((name) => !both.includes(name)).map((name) => `${name}: ${lefts.get(name)?.unknown ?? rights.get(name)?.unknown ?? 'in one capture only'}`).join('; ');
    return { id, says, result: both.length === 0 ? 'not probed' : found.length > 0 ? 'differs' : 'same', probes: both, differences: found, ...(why && { why }) };
  });
}

const kShown = 160;
const shown = (value) => {
  const text = value === undefined ? 'nothing' : plain(JSON.stringify(value));
  return text.length > kShown ? `${text.slice(0, kShown)}…` : text;
};

function render(rows, left, right) {
  const lines = [`${left} | ${right}`];
  for (const { says, result, differences: found, why } of rows) {
    if (why === 'no probe') continue;
    lines.push(`${result.padEnd(10)}  ${says}${why ? `  (${plain(why)})` : ''}`);
    for (const { probe, item, left: a, right: b } of found) lines.push(`              ${plain(probe)}${item ? ` ${plain(item)}` : ''}: ${shown(a)} | ${shown(b)}`);
  }
  const none = rows.filter(({ why }) => why === 'no probe').length;
  const count = (result) => rows.filter((row) => row.result === result).length;
  lines.push(`${count('same')} the same, ${count('differs')} ${count('differs') === 1 ? 'differs' : 'differ'}, ${count('not probed')} not probed, of which ${none} have no probe`);
  return `${lines.join('\n')}\n`;
}

module.exports = { compare, differences, render };
