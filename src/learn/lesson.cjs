'use strict';
// A lesson as data: lesson.yaml, text.md, probe.cjs, start/, solution/ (docs/lessons.md). Read strictly: what is wrong is said with file, line and key, all of
// it at once. A lesson comes from the program, or from a folder of a teacher's own.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

class LessonError extends Error {}

// ---- What a lesson.yaml may say ------------------------------------------------------------------------------------------------------

const text = { what: 'a text', read: (node) => node.text };
const words = (list) => ({ what: `one of ${list.join(', ')}`, read: (node) => (list.includes(node.text) ? node.text : undefined) });
const matching = (pattern, what) => ({ what, read: (node) => (pattern.test(node.text ?? '') ? node.text : undefined) });
const number = (from, to) => ({ what: `a whole number from ${from} to ${to}`, read: (node) => (/^\d+$/.test(node.text ?? '') && Number(node.text) >= from && Number(node.text) <= to ? Number(node.text) : undefined) });
const code = matching(/^[A-Z][A-Z_]+$/, 'a code such as SIM_STATE_NOT_SHARED');
const name = matching(/^[a-z][a-z0-9-]*$/, 'a name of small letters, digits and dashes');
const url = matching(/^https:\/\/\S+$/, 'an address that begins with https://');
const nextVersion = matching(/^1[4-9](\.\d+)?$/, 'a version of Next such as 15.1');
const file = matching(/^(?!\/)(?!.*\.\.)[\w./[\]()@-]+$/, 'the path of a file inside the lesson');
const list = (of, least = 0) => ({ list: of, least });
const map = (keys, required = []) => ({ map: keys, required });
const anyMap = (of) => ({ anyMap: of });

const kLesson = map(
  {
    title: text,
    minutes: number(1, 60),
    next: nextVersion,
    question: text,
    choices: list(map({ text, why: text, right: words(['true']) }, ['text', 'why']), 2),
    run: map({ profile: text, placement: text, isolation: text, 'time-scale': number(1, 100), set: anyMap(text) }, ['profile']),
    files: list(file, 1),
    before: map({ fails: list(name, 1), says: list(code) }, ['fails']),
    after: map({ allows: list(code) }),
    hints: list(text, 1),
    sources: list(map({ text, url }, ['text', 'url']), 1),
    restart: words(['true']),
  },
  ['title', 'minutes', 'question', 'choices', 'run', 'files', 'before', 'hints', 'sources'],
);
const kSections = ['Why', 'Mend it', 'Other ways'];

const isNothing = (node) => node.text === undefined && !node.items && !node.entries;
const whatItIs = (node) => (node.entries ? 'a map' : node.items ? 'a list' : isNothing(node) ? 'nothing' : JSON.stringify(node.text.length > 40 ? `${node.text.slice(0, 40)}…` : node.text));

// The value that `node` has by `schema`; every mistake goes to `wrong(node, message)`.
function decode(node, schema, key, wrong) {
  const expected = (what) => wrong(node, `${key}: expected ${what}, got ${whatItIs(node)}`);
  if (schema.list) {
    if (!node.items) return expected('a list');
    if (node.items.length < schema.least) wrong(node, `${key}: expected at least ${schema.least}, got ${node.items.length}`);
    return node.items.map((item, i) => decode(item, schema.list, `${key}[${i + 1}]`, wrong));
  }
  if (schema.map || schema.anyMap) {
    if (!node.entries) return expected('a map');
    const out = {};
    const seen = new Set();
    for (const [keyNode, value] of node.entries) {
      const own = keyNode.text ?? '';
      const full = key ? `${key}.${own}` : own;
      const of = schema.anyMap ?? (Object.hasOwn(schema.map, own) ? schema.map[own] : undefined);
      if (!of) wrong(keyNode, `${full}: unknown key; expected one of ${Object.keys(schema.map).join(', ')}`);
      else if (seen.has(own)) wrong(keyNode, `${full}: stands here twice`);
      else out[own] = decode(value, of, full, wrong);
      seen.add(own);
    }
    for (const needed of schema.required ?? []) if (!seen.has(needed)) wrong(node, `${key ? `${key}.` : ''}${needed}: is missing`);
    return out;
  }
  const value = node.text === undefined ? undefined : schema.read(node);
  return value === undefined || value === '' ? expected(schema.what) : value;
}

// Several texts in one run of the program, each read once: a list of the lessons starts one process, and none when it is shown again.
const yamlRead = new Map();
const yamlKey = (label, bytes) => `${label}\0${bytes}`;
function readYamls(program, texts) {
  const open = texts.filter(({ label, bytes }) => !yamlRead.has(yamlKey(label, bytes)));
  if (open.length === 0) return;
  const input = open.map(({ bytes }) => String(bytes).replaceAll('\0', '\ufffd')).join('\0');
  const { stdout, stderr, status } = spawnSync(program, ['__yaml', ...open.map(({ label }) => label)], { input, maxBuffer: 1 << 24, encoding: 'utf8' });
  if (status !== 0) throw new LessonError((stderr || `${open[0].label}: cannot be read`).trimEnd());
  JSON.parse(stdout).forEach((root, i) => yamlRead.set(yamlKey(open[i].label, open[i].bytes), root));
}
function readYaml(program, label, bytes) {
  readYamls(program, [{ label, bytes }]);
  return yamlRead.get(yamlKey(label, bytes));
}

function sectionsOf(label, markdown, mistakes) {
  const out = {};
  let at;
  markdown.split('\n').forEach((line, i) => {
    const heading = /^## (.+)$/.exec(line)?.[1];
    if (heading && !kSections.includes(heading)) mistakes.push(`${label}:${i + 1}: unknown section "${heading}"; expected one of ${kSections.join(', ')}`);
    if (heading) out[(at = heading)] = '';
    else if (at) out[at] += `${line}\n`;
    else if (line.trim() && !line.startsWith('# ')) mistakes.push(`${label}:${i + 1}: text before the first section; expected "## ${kSections[0]}"`);
  });
  for (const section of kSections) if (!out[section]?.trim()) mistakes.push(`${label}: the section "## ${section}" is missing or empty`);
  return out;
}

// ---- From where ----------------------------------------------------------------------------------------------------------------------

// Files of a folder on disk as the program's own come: path in the lesson → bytes.
function readFolder(folder) {
  const out = new Map();
  const walk = (below) => {
    for (const entry of fs.readdirSync(path.join(folder, below), { withFileTypes: true })) {
      const name = below ? `${below}/${entry.name}` : entry.name;
      if (entry.name === 'node_modules' || entry.name === '.next') continue;
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile()) out.set(name, fs.readFileSync(path.join(folder, name)));
    }
  };
  walk('');
  return out;
}

/** What lesson.yaml says (kLesson), and what stands beside it.
 * @typedef {{ id: string, label: string, title?: string, minutes?: number, sections: object, start: Map<string, Buffer>, solution: Map<string, Buffer>, probe: Function, [key: string]: any }} Lesson */

// `files`: path in the lesson → bytes. `label` is what messages call the folder.
/** @returns {Lesson} */
function readLesson({ program, id, label, files }) {
  const mistakes = [];
  const need = (file) => files.get(file) ?? (mistakes.push(`${label}/${file}: is missing`), undefined);
  const yaml = need('lesson.yaml');
  const markdown = need('text.md');
  const probe = need('probe.cjs');
  for (const folder of ['start', 'solution']) if (![...files.keys()].some((name) => name.startsWith(`${folder}/`))) mistakes.push(`${label}/${folder}/: is missing or empty`);
  let data = {};
  if (yaml) {
    const where = `${label}/lesson.yaml`;
    const wrong = (node, message) => void mistakes.push(`${where}:${node.line}:${node.column}: ${message}`);
    const root = readYaml(program, where, yaml);
    data = decode(root, kLesson, '', wrong) ?? {};
    if (Array.isArray(data.choices) && data.choices.length > 4) wrong(root, 'choices: expected at most 4');
    if (Array.isArray(data.choices) && data.choices.filter((c) => c?.right).length !== 1) wrong(root, 'choices: expected one with `right: true`');
    for (const name of data.files ?? []) if (name && !files.has(`start/${name}`)) wrong(root, `files: start/${name} does not exist`);
  }
  const sections = markdown ? sectionsOf(`${label}/text.md`, markdown.toString(), mistakes) : {};
  if (mistakes.length > 0) throw new LessonError(mistakes.join('\n'));
  const folder = (name) => new Map([...files].filter(([key]) => key.startsWith(`${name}/`)).map(([key, bytes]) => [key.slice(name.length + 1), bytes]));
  return { id, label, ...data, sections, start: folder('start'), solution: folder('solution'), probe: loadProbe(`${label}/probe.cjs`, probe) };
}

function loadProbe(filename, bytes) {
  const module = { exports: {} };
  try {
    vm.compileFunction(bytes.toString(), ['module', 'exports', 'require'], { filename })(module, module.exports, require);
  } catch (error) {
    throw new LessonError(`${filename}: ${error.name}: ${error.message}\n${String(error.stack).split('\n').slice(0, 4).join('\n')}`);
  }
  if (typeof module.exports !== 'function') throw new LessonError(`${filename}: expected module.exports = async function (t) { … }`);
  return module.exports;
}

// Ids of the lessons that the program has, in their order: "01-the-empty-map".
function builtinIds(files) {
  const ids = new Set();
  for (const name of files.keys()) {
    const id = /^lessons\/(\d\d-[a-z0-9-]+)\/lesson\.yaml$/.exec(name)?.[1];
    if (id) ids.add(id);
  }
  return [...ids].sort();
}

// All of them, in their order.
function readBuiltins({ program, files }) {
  const ids = builtinIds(files);
  readYamls(program, ids.map((id) => ({ label: `lessons/${id}/lesson.yaml`, bytes: files.get(`lessons/${id}/lesson.yaml`) })));
  return ids.map((id) => readBuiltin({ program, files, id }));
}

function readBuiltin({ program, files, id }) {
  const prefix = `lessons/${id}/`;
  const own = new Map([...files].filter(([name]) => name.startsWith(prefix)).map(([name, bytes]) => [name.slice(prefix.length), bytes]));
  return readLesson({ program, id, label: `lessons/${id}`, files: own });
}

// By number, name, part of a name, or a folder. Throws a LessonError that names the lessons when it is none.
function findLesson({ program, files }, wanted) {
  const ids = builtinIds(files);
  const plain = wanted.toLowerCase();
  const id = ids.find((one) => one === plain || one.slice(3) === plain || (/^\d+$/.test(plain) && Number(one.slice(0, 2)) === Number(plain)));
  if (id) return readBuiltin({ program, files, id });
  if (/[/.]/.test(wanted) || fs.existsSync(path.join(wanted, 'lesson.yaml'))) {
    if (!fs.existsSync(path.join(wanted, 'lesson.yaml'))) throw new LessonError(`${wanted}: no lesson is there: it has no lesson.yaml (docs/lessons.md says what a lesson is made of)`);
    // Its folder among the lessons is never that of another one.
    return readLesson({ program, id: `own-${path.basename(path.resolve(wanted))}`, label: wanted.replace(/\/+$/, ''), files: readFolder(wanted) });
  }
  const near = ids.filter((one) => one.includes(plain));
  if (near.length === 1) return readBuiltin({ program, files, id: near[0] });
  throw new LessonError(`no lesson is called "${wanted}"; there are ${ids.map((one) => `${Number(one.slice(0, 2))} ${one.slice(3)}`).join(', ')}`);
}

module.exports = { LessonError, builtinIds, readBuiltin, readBuiltins, findLesson };
