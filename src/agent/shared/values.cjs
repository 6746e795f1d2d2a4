'use strict';
// Values between processes: what JSON can carry, and errors, big integers and patterns besides. What belongs to a process (functions, sockets,
// instances of classes) is left out. A key that begins with `$` is ours; of others' ("?$bigint=x" of a client) it is written with one more.

const kDeepest = 12;

function pack(value, depth = 0) {
  if (value === null) return null;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return { $bigint: String(value) };
    case 'object':
      return depth > kDeepest ? undefined : packObject(value, depth + 1);
    default:
      return undefined;
  }
}

function packObject(value, depth) {
  if (Array.isArray(value)) return value.map((item) => pack(item, depth) ?? null);
  if (value instanceof Error || Object.prototype.toString.call(value) === '[object Error]') return { $error: packError(value, depth) };
  if (value instanceof RegExp) return { $regexp: [value.source, value.flags] };
  const prototype = Object.getPrototypeOf(value);
  // Object.prototype of any realm: middleware in the edge sandbox makes such.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return undefined;
  return packFields(value, depth);
}

function packFields(value, depth) {
  const out = {};
  for (const name of Object.keys(value)) {
    if (name === '__proto__') continue;
    const packed = pack(value[name], depth);
    if (packed !== undefined) out[name.startsWith('$') ? `$${name}` : name] = packed;
  }
  return out;
}

function packError(error, depth) {
  const { name, message, stack, cause } = error;
  return { ...packFields(error, depth), name, message: String(message), stack: String(stack), cause: pack(cause, depth) };
}

function unpack(value) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(unpack);
  if (value.$bigint !== undefined) return BigInt(value.$bigint);
  if (value.$regexp !== undefined) return new RegExp(value.$regexp[0], value.$regexp[1]);
  if (value.$error !== undefined) return unpackError(value.$error);
  const out = {};
  for (const [name, item] of Object.entries(value)) out[name.startsWith('$') ? name.slice(1) : name] = unpack(item);
  return out;
}

function unpackError({ name, message, stack, cause, ...rest }) {
  const error = new Error(message);
  const fields = { name, stack, ...(cause === undefined ? {} : { cause: unpack(cause) }) };
  for (const [field, value] of Object.entries(fields)) Object.defineProperty(error, field, { value, writable: true, configurable: true });
  return Object.assign(error, unpack(rest));
}

module.exports = { pack, unpack };
