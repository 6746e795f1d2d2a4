// No file of src/ or tests/ is longer than 500 lines, and no function of src/ than 80: node scripts/check-lengths.mjs. A ctest.
// Functions are found by their braces, strings and comments aside: in C++ what stands after a ")" (with what may follow it:
// const, noexcept, an initializer list) outside of others, in JavaScript what begins with `function`, `=>` or a method's head.
// A lambda in C++ counts for the function around it too. In JavaScript a function inside of another counts for itself alone, and the
// factory of a module (module.exports = function …) is the module itself. A table of rows is no function either.
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const kMostLines = 500, kMostOfFunction = 80;

// The text with strings, comments and regular expressions blanked, line by line as long as before.
export function bare(text, cpp) {
  const out = [];
  const skip = (from, to) => {
    for (let k = from; k < to; k++) out.push(text[k] === '\n' ? '\n' : ' ');
    return to;
  };
  const end = (from, what) => {
    const at = text.indexOf(what, from);
    return at < 0 ? text.length : at + what.length;
  };
  const quoted = (from) => {
    let k = from + 1;
    while (k < text.length && text[k] !== text[from] && (text[k] !== '\n' || text[from] === '`')) k += text[k] === '\\' ? 2 : 1;
    return k + 1;
  };
  for (let i = 0; i < text.length; ) {
    const c = text[i];
    const raw = cpp && c === 'R' ? /^R"([^(\s]{0,16})\(/.exec(text.slice(i, i + 20)) : null;
    if (raw) i = skip(i, end(i + raw[0].length, `)${raw[1]}"`));
    else if (text.startsWith('//', i)) i = skip(i, end(i, '\n') - 1);
    else if (text.startsWith('/*', i)) i = skip(i, end(i + 2, '*/'));
    else if (c === '"' || (c === "'" && !(cpp && /[0-9a-fA-F]/.test(text[i - 1] ?? ''))) || (!cpp && c === '`')) i = skip(i, quoted(i));
    else if (!cpp && c === '/' && /[(,=:[!&|?{};\n]\s*$|\breturn\s*$/.test(out.slice(-40).join(''))) {
      let k = i + 1;
      for (let set = false; k < text.length && text[k] !== '\n' && (set || text[k] !== '/'); k += text[k] === '\\' ? 2 : 1)
        set = text[k] === '[' || (set && text[k] !== ']');
      i = skip(i, k + 1);
    } else {
      out.push(c);
      i++;
    }
  }
  return out.join('');
}

const kNoFunction = /\b(if|for|while|switch|catch|else|do|try|namespace|class|struct|enum|union|extern)\b[^;{}]*$/;

// Whether the block that `head` (what stands since the last ; { or }) opens is a function.
function opensFunction(head, cpp) {
  if (/\bmodule\.exports = (async )?function\b/.test(head)) return false;
  if (/=>\s*$/.test(head)) return !cpp;
  if (kNoFunction.test(head) && !/\bfunction\b/.test(head)) return false;
  if (cpp) return /\)[\s\w]*(->[\s\w:<>*&,]+)?(:[^;]*)?$/.test(head) && !/=\s*$/.test(head);
  return /\bfunction\b[^=]*\)\s*$/.test(head) || /(^|\s)[\w$#]+\s*\([^()]*(\([^()]*\)[^()]*)*\)\s*$/.test(head);
}

// [{name, line, lines}] of all functions.
export function functionsOf(text, cpp) {
  const code = bare(text, cpp);
  const open = [], found = [];
  let line = 1, head = '', headLine = 1;
  for (const c of code) {
    if (c === '\n') line++;
    if (c === '{') {
      open.push(opensFunction(head.trim(), cpp) ? { name: head.trim().replace(/\s+/g, ' ').slice(0, 60), line: headLine, inner: 0 } : null);
      head = '';
    } else if (c === '}') {
      const one = open.pop();
      if (one) {
        const lines = line - one.line + 1;
        found.push({ ...one, lines: lines - one.inner });
        const around = cpp ? null : open.findLast((o) => o);
        if (around) around.inner += lines;
      }
      head = '';
    } else if (c === ';') head = '';
    else {
      if (head.trim() === '') headLine = line;
      head += c;
    }
  }
  return found;
}

export function problemsOf(path, text) {
  const problems = [];
  const cpp = /\.(cpp|hpp|c|h)$/.test(path);
  const lines = text.split('\n').length - 1;
  if (lines > kMostLines) problems.push(`${path}: ${lines} lines; a file has at most ${kMostLines}`);
  if (path.startsWith('tests/')) return problems; // what a describe() or a test holds is no function to read as one
  for (const f of functionsOf(text, cpp))
    if (f.lines > kMostOfFunction) problems.push(`${path}:${f.line}: ${f.lines} lines; a function has at most ${kMostOfFunction}: ${f.name}`);
  return problems;
}

function main() {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const files = execFileSync('git', ['ls-files', 'src', 'tests'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((f) => /\.(cpp|hpp|c|h|cjs|mjs|def)$/.test(f));
  const problems = files.flatMap((f) => {
    try {
      return problemsOf(f, readFileSync(join(root, f), 'utf8'));
    } catch (error) {
      if (error.code === 'ENOENT') return []; // removed, and not committed yet
      throw error;
    }
  });
  for (const p of problems) console.error(p);
  console.log(`${files.length} files, ${problems.length} too long`);
  if (files.length === 0 || problems.length > 0) process.exit(1);
}
if (process.argv[1] === fileURLToPath(import.meta.url)) main();
