'use strict';
// What of an app page's answer a deployment would keep: what its server components rendered, out of the payload that stands in the document for the
// client's router (React's "flight" rows). What only a dev server says (owners, stacks, timings, functions as text), names of files and what two renders of
// one page differ in anyway (server actions, nonces, ids of elements) are left out. Client components are rendered again in the browser: their own text
// does not count, what they are given does.
// use-flight-response.js writes `self.__next_f.push([1, "…"])`. React: ReactFlightClient.js, processFullStringRow.

const { createHash } = require('node:crypto');

const kPush = /self\.__next_f\.push\(\[1,("(?:[^"\\]|\\.)*")\]\)/g;
const kBinaryPush = /self\.__next_f\.push\(\[3,/;
const kSized = new Set('TAOoUSsLlGgMmVb');
const kNotKept = /^(id|htmlFor|nonce|key|aria-.*|data-.*)$/;
const kReference = /^\$(?:[L@QWK]|)([0-9a-f]+)((?::[^:]+)*)$/;

const kDeepest = 500;
const kMostWords = 16 * 1024 * 1024;  // characters of what rows name of one another

// Text of the rows; undefined where there is none, or one that cannot be read.
function flightOf(html) {
  if (kBinaryPush.test(html)) return undefined;
  let text = '';
  try {
    for (const [, literal] of html.matchAll(kPush)) text += JSON.parse(literal);
  } catch {
    return undefined;  // not written by Next
  }
  return text || undefined;
}

function rowsOf(text) {
  const bytes = Buffer.from(text);
  const rows = new Map();
  let at = 0;
  while (at < bytes.length) {
    const colon = bytes.indexOf(0x3a, at);
    if (colon < 0) break;
    const id = bytes.toString('latin1', at, colon);
    const tag = String.fromCharCode(bytes[colon + 1]);
    const comma = kSized.has(tag) ? bytes.indexOf(0x2c, colon) : -1;
    const size = comma > 0 ? bytes.toString('latin1', colon + 2, comma) : '';
    if (/^[0-9a-f]+$/.test(size)) {
      const end = comma + 1 + Number.parseInt(size, 16);
      rows.set(id, { tag, text: bytes.toString('utf8', comma + 1, end) });
      at = end;
      continue;
    }
    let end = bytes.indexOf(0x0a, colon);
    if (end < 0) end = bytes.length;
    const isModel = !/[A-Zrx]/.test(tag);
    // Of a row that is told twice the first is what it is; what follows is about it.
    if (isModel || !rows.has(id)) rows.set(id, { tag: isModel ? '' : tag, text: bytes.toString('utf8', colon + (isModel ? 1 : 2), end) });
    at = end + 1;
  }
  return rows;
}

// A digest of what is kept of a document; undefined where that cannot be said.
function keptOf(html) {
  const text = flightOf(html);
  if (text === undefined) return undefined;
  const rows = rowsOf(text);
  const digests = new Map();
  let isKnown = rows.has('0');
  let depth = 0;
  let size = 0;
  const partial = new Map();  // "12:props:children" → its words
  const root = digestOf('0');
  return isKnown ? root : undefined;

  function digestOf(id) {
    if (digests.has(id)) return digests.get(id);
    digests.set(id, 'itself');
    const row = rows.get(id);
    let said = '?';
    if (row) {
      if (row.tag === 'E' || row.tag === 'P') isKnown = false;
      else if (row.tag === 'I') said = `client ${nameOf(row.text)}`;
      else if (row.tag === 'T') said = row.text;
      else if (row.tag === '') said = wordsOf(parsed(row.text), id === '0');
    }
    const digest = createHash('sha1').update(said).digest('base64');
    digests.set(id, digest);
    return digest;
  }

  function parsed(json) {
    try {
      return JSON.parse(json);
    } catch {
      isKnown = false;
      return null;
    }
  }

  function nameOf(json) {
    const [, , name] = [parsed(json)].flat();
    return name;
  }

  // A text in which rows name parts of one another in circles, or without end, is none that can be told apart from another.
  function wordsOf(value, isRoot = false) {
    if (depth > kDeepest || size > kMostWords) {
      isKnown = false;
      return '?';
    }
    depth++;
    try {
      return wordsWithin(value, isRoot);
    } finally {
      depth--;
    }
  }

  function wordsWithin(value, isRoot) {
    if (typeof value === 'string') return wordOf(value);
    if (value === null || typeof value !== 'object') return String(value);
    if (Array.isArray(value)) {
      if (value[0] === '$' && value.length >= 4) return `<${wordsOf(value[1])} ${wordsOf(propsOf(value[3]))}>`;
      return `[${value.map((one) => wordsOf(one)).join(',')}]`;
    }
    return `{${Object.entries(value)
      .filter(([name]) => !(isRoot && name === 'b') && !name.startsWith('_'))
      .map(([name, one]) => `${name}:${wordsOf(one)}`)
      .join(',')}}`;
  }

  function propsOf(given) {
    const [, id] = typeof given === 'string' ? (kReference.exec(given) ?? []) : [];
    const row = id === undefined ? undefined : rows.get(id);
    const props = row?.tag === '' ? parsed(row.text) : given;
    if (props === null || typeof props !== 'object' || Array.isArray(props)) return given;
    return Object.fromEntries(Object.entries(props).filter(([name]) => !kNotKept.test(name)));
  }

  function wordOf(text) {
    if (text.includes('/_next/')) return 'file';
    if (!text.startsWith('$') || text.startsWith('$$')) return JSON.stringify(text);
    if (/^\$[EYFhT]/.test(text) && !/^\$F$/.test(text)) return text[1];
    const [, id, path] = kReference.exec(text) ?? [];
    if (id === undefined) return text;
    return path ? part(id, path.slice(1).split(':')) : digestOf(id);
  }

  // "$12:props:children": a part of another row.
  function part(id, path) {
    const name = [id, ...path].join(':');
    if (!partial.has(name)) {
      partial.set(name, 'itself');
      partial.set(name, partOf(id, path));
    }
    size += partial.get(name).length;
    return partial.get(name);
  }

  function partOf(id, path) {
    const row = rows.get(id);
    let value = row?.tag === '' ? parsed(row.text) : undefined;
    for (const name of path) {
      if (typeof value === 'string') {
        const [, next, more] = kReference.exec(value) ?? [];
        const there = next !== undefined && !more ? rows.get(next) : undefined;
        value = there?.tag === '' ? parsed(there.text) : undefined;
      }
      const place = Array.isArray(value) && value[0] === '$' ? { type: 1, key: 2, props: 3 }[name] : undefined;
      value = value?.[place ?? name];
    }
    return value === undefined ? '?' : wordsOf(value);
  }
}

module.exports = { keptOf };
