// No two types of src/ have one name: node scripts/check-type-names.mjs. A ctest.
// A type is a struct, class, union, enum or alias at the scope of a namespace. Two of one name in two namespaces are two things that one
// reads for one another, at the latest where both are included. One of a file alone (in an unnamed namespace of a .cpp) may have the
// name of one of another file, whose readers never see both, and never that of a type that a header declares. Members of classes are
// said with their class, and may have any name. What is forward declared or brought by `using` from elsewhere is the same type.
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bare } from './check-lengths.mjs';

const kUnnamed = '(unnamed)';

// [{name, space, local, line}] of the types that a file defines at the scope of a namespace; `local`: seen in this file alone.
export function typesOf(text) {
  // A preprocessor line opens no scope, and an attribute is no part of a head.
  const code = bare(text, true).replace(/^[ \t]*#(.*\\\n)*.*$/gm, (m) => m.replace(/[^\n]/g, ' ')).replace(/\[\[[^\]]*\]\]/g, (m) => ' '.repeat(m.length));
  const scopes = [], found = [];
  let head = '', line = 1, at = 1;
  const add = (name) => {
    if (!scopes.every((s) => s)) return; // inside a class or a function
    found.push({ name, space: scopes.join('::'), local: scopes.some((s) => s.includes(kUnnamed)), line: at });
  };
  for (const c of code) {
    if (c === '\n') line++;
    if (c === '{') {
      const space = /^(?:inline\s+)?namespace\b\s*([\w:]*)$/.exec(head.trim());
      const type = /^(?:template\s*<[^{]*>\s*)?(?:struct|class|union|enum(?:\s+(?:class|struct))?)\s+(\w+)\s*(?:final\s*)?(?::[^:].*)?$/s.exec(head.trim());
      if (type) add(type[1]);
      scopes.push(space ? space[1] || kUnnamed : null);
      head = '';
    } else if (c === '}') {
      scopes.pop();
      head = '';
    } else if (c === ';') {
      const alias = /^(?:template\s*<.*>\s*)?using\s+(\w+)\s*=\s*(.*)$/s.exec(head.trim());
      if (alias && !new RegExp(`::${alias[1]}$`).test(alias[2].trim())) add(alias[1]);
      head = '';
    } else {
      if (head.trim() === '') at = line;
      head += c;
    }
  }
  return found;
}

// `files`: [{path, text}].
export function problemsOf(files) {
  const all = new Map();
  for (const { path, text } of files)
    for (const t of typesOf(text)) all.set(t.name, [...(all.get(t.name) ?? []), { ...t, path, id: t.local ? path : t.space }]);
  const problems = [];
  for (const [name, types] of all) {
    const shared = types.filter((t) => !t.local);
    if (shared.length === 0 || new Set(types.map((t) => t.id)).size === 1) continue;
    problems.push(`${name} is the name of ${types.length} types:` +
      types.map((t) => `\n  ${t.path}:${t.line}: ${t.space}`).join(''));
  }
  return { problems, types: [...all.values()].flat().length };
}

function main() {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const paths = execFileSync('git', ['ls-files', 'src/*.hpp', 'src/*.cpp', 'src/*.h'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  const files = paths.flatMap((path) => {
    try {
      return [{ path, text: readFileSync(join(root, path), 'utf8') }];
    } catch (error) {
      if (error.code === 'ENOENT') return []; // removed, and not committed yet
      throw error;
    }
  });
  const { problems, types } = problemsOf(files);
  for (const p of problems.sort()) console.error(p);
  console.log(`${files.length} files, ${types} types, ${problems.length} names of more than one`);
  if (types === 0 || problems.length > 0) process.exit(1);
}
if (process.argv[1] === fileURLToPath(import.meta.url)) main();
