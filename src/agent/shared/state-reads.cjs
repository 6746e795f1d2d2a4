'use strict';
// What the text of a function does with a variable that it names: adds to it, takes all out of it, or reads it. A logger's buffer is written by every
// handler and read by none, a queue is read by its worker.

const kMostMethods = 40;

// {isRead, isDrained, isAdded} of all places where `text` has `reference`, the source of a pattern. `value`: what the variable holds.
function readsIn(text, reference, value) {
  const uses = { isRead: false, isDrained: false, isAdded: false };
  const methods = ownMethods(value);
  for (const { 0: found, index } of text.matchAll(new RegExp(reference, 'g'))) {
    const before = text.slice(Math.max(0, index - 40), index);
    const after = text.slice(index + found.length, index + found.length + 80);
    const [, method] = /^\s*\??\.\s*([\w$]+)\s*\(/.exec(after) ?? [];
    if (methods?.has(method)) merge(uses, usesOfMethod(method, methods, new Set()));
    else uses[methods ? 'isRead' : useAt(before, after)] = true;
  }
  return uses;
}

function merge(uses, more) {
  for (const [use, is] of Object.entries(more)) uses[use] ||= is;
}

// Of an instance of a class: its methods by name. Undefined for other values.
function ownMethods(value) {
  if (value === null || typeof value !== 'object') return undefined;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || /^(Object|Array|Map|Set|EventEmitter)$/.test(prototype.constructor?.name ?? 'Object')) return undefined;
  const methods = new Map();
  for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
    if (typeof method === 'function' && name !== 'constructor') methods.set(name, Function.prototype.toString.call(method));
  return methods;
}

function usesOfMethod(name, methods, seen) {
  const uses = { isRead: false, isDrained: false, isAdded: false };
  if (seen.has(name) || seen.size > kMostMethods) return uses;
  seen.add(name);
  const text = methods.get(name);
  for (const { 0: found, 1: field, index } of text.matchAll(/(?<![\w$])this(?:\.([#\w$]+))?/g)) {
    const after = text.slice(index + found.length, index + found.length + 80);
    if (field !== undefined && methods.has(field) && /^\s*\(/.test(after)) merge(uses, usesOfMethod(field, methods, seen));
    else uses[field === undefined ? 'isRead' : useAt(text.slice(Math.max(0, index - 40), index), after)] = true;
  }
  return uses;
}

function useAt(before, after) {
  const isTaken = /(?:\breturn|[=(,[:?]|\bawait)\s*$/.test(before);
  if (/^\s*\.\s*(?:push|unshift|add|set|delete|clear)\s*\(/.test(after) && !isTaken) return 'isAdded';
  if (/^\s*\.\s*length\s*=(?!=)/.test(after) || /^\s*\.\s*(?:length|size)\s*>/.test(after)) return 'isDrained';
  if (/^\s*\.\s*(?:splice\s*\(\s*0\s*[,)]|shift\s*\()/.test(after)) return 'isDrained';
  if (/^\s*(?:\[[^\]]*\]|\.[\w$]+)?\s*=(?![=>])/.test(after) && !isTaken) return 'isAdded';
  if (/^\s*(?:\+\+|[-+]=)/.test(after) && /(?:^|[;{})\n])\s*$/.test(before)) return 'isAdded';
  return 'isRead';
}

// Whoever only empties what he fills keeps a buffer; whoever only empties it is the reader.
const isRead = ({ isRead: read, isDrained, isAdded }) => read === true || (isDrained === true && !isAdded);

module.exports = { isRead, readsIn };
