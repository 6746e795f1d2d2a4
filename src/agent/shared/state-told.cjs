'use strict';
// How a variable at the top of a module is told: digests of what is in it, none of it in clear. In full for the first time, for copies by their template; then by
// its number, with what is no longer as it was told (src/agent/state_reader.hpp reads it).

const kMostVariables = 4096;  // that have a number

module.exports = function (placeOf) {
  let variables = 0;

  // `look` (state-looks.cjs): as the handler found it. Of a variable whose number is beyond the last all is told each time.
  function variableOf(binding, look) {
    const isFirst = binding.number === undefined;
    if (isFirst) begin(binding);
    if (!isFirst && binding.told === look && binding.number <= kMostVariables) return { variable: binding.number };
    settle(binding);
    binding.told = look;
    const { gone, come } = sinceTold(binding, look);
    if (!isFirst && binding.number <= kMostVariables) {
      return { variable: binding.number, gone: gone.length > 0 ? gone : undefined, come: come.length > 0 ? come : undefined };
    }
    return { variable: binding.number, name: binding.name, at: placeOf(binding), had: [...binding.entries.values()].flatMap(({ told }) => told) };
  }

  function begin(binding) {
    binding.number = ++variables;
    binding.entries ??= new Map();
    binding.turn = 0;
  }

  // In a template, after its last rehearsal: what its copies need not tell where it is still as it was looked at last; but for what there will be another look at.
  // A variable has its number once `tell` has told it, and not before: of a number that was never told in full nobody hears.
  function tellAhead(bindings, tell) {
    const ready = bindings.filter(({ last, number }) => last?.trail && last.kind && number === undefined).slice(0, Math.max(0, kMostVariables - variables));
    if (ready.length === 0) return;
    tell(ready.map((binding, i) => {
      const { last: look } = binding;
      binding.entries = new Map();
      for (let k = 0; k < look.keys.length; k++) entryOf(binding, look, k);
      const had = [...binding.entries.values()].flatMap(({ digests }) => digests);
      return { binding, words: { variable: variables + 1 + i, name: binding.name, at: placeOf(binding), had } };
    }));
    for (const binding of ready) {
      begin(binding);
      Object.assign(binding, { told: binding.last, isWhole: true, steady: binding.last });
    }
  }

  // Whether its number says all: nothing of it is another since it was told so.
  const isTold = (binding, look) => binding.steady === look && binding.told === look;

  // It was told, and was so all the time.
  function wasSteady(binding, look) {
    if (binding.number <= kMostVariables) binding.steady = look;
  }

  // That all of its entries were told is written down for each of them when one of them changes: in most copies none does.
  function settle(binding) {
    if (binding.isWhole) for (const entry of binding.entries.values()) entry.told = entry.digests;
    binding.isWhole = false;
  }

  function sinceTold(binding, look) {
    const gone = [];
    const come = [];
    const turn = ++binding.turn;
    for (let i = 0; i < look.keys.length; i++) {
      const entry = entryOf(binding, look, i);
      entry.turn = turn;
      if (entry.told === entry.digests) continue;
      if (entry.told) gone.push(entry.told.at(-1)), come.push(entry.digests.at(-1));
      else come.push(...entry.digests);
      entry.told = entry.digests;
    }
    for (const [key, entry] of binding.entries) {
      if (entry.turn === turn) continue;
      if (entry.told) gone.push(...entry.told);
      binding.entries.delete(key);
    }
    return { gone, come };
  }

  // Of an entry: its key, the key without the field that holds it, and last key with value. Of what is as it was: the same list.
  const digestsOf = (binding, look, i) => entryOf(binding, look, i).digests;

  function entryOf(binding, { bare, keys, texts }, i) {
    const key = keys[i];
    const known = binding.entries.get(key);
    if (known?.text === texts[i]) return known;
    settle(binding);
    const ofKey = known ? known.digests.slice(0, -1) : [key, ...(bare[i] === undefined ? [] : [bare[i]])].map(digest);
    const entry = { text: texts[i], digests: [...ofKey, digest(`${key}\n${texts[i]}`)], told: known?.told, turn: known?.turn };
    binding.entries.set(key, entry);
    return entry;
  }

  return { digest, digestsOf, isTold, tellAhead, variableOf, wasSteady };
};

// 53 bits of a text, the same in every instance (a hash of Bob Jenkins' kind, two halves that are mixed): nobody is to be kept from guessing a key, but
// none is written down.
function digest(text) {
  if (text.length === 0) return '';
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}
