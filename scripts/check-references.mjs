// Fails on a file that comments, scripts and documents name and that is not there, on a decision or a section of docs/platform.md that does not exist,
// on a relative link of a Markdown file or the heading behind its `#`. Usage: node check-references.mjs (a ctest, `references`)
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (name) => readFileSync(join(root, name), 'utf8');
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter((name) => name && existsSync(join(root, name)));
const known = new Set(tracked.flatMap((name) => name.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'))));
const decisions = new Set(readdirSync(join(root, 'docs/decisions')).map((name) => name.slice(0, 4)));
const sections = new Set([...read('docs/platform.md').matchAll(/^#{2,3} (\d+(?:\.\d+)?[a-d]?)\b/gm)].map(([, number]) => number));
const problems = [];

// The slug that GitHub gives a heading.
const slugs = (text) => new Set([...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) =>
  title.trim().toLowerCase().replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/ /g, '-')));

function checkText(name, line, where) {
  for (const [, path] of line.matchAll(/(?<![\w./$}-])((?:docs|src|scripts|cmake|profiles|rules|packaging|tests)\/[\w./-]*\.(?:md|cpp|hpp|c|cjs|mjs|sh|yaml|json|svg|cmake))(?![\w*])/g)) {
    if (!/\/ID\.md$/.test(path) && !known.has(path) && !existsSync(join(root, dirname(name), path))) problems.push(`${where}: ${path} is not in the repository`);
  }
  for (const [, number] of line.matchAll(/decision (\d{4})\b/g)) if (!decisions.has(number)) problems.push(`${where}: there is no decision ${number}`);
  for (const [, number] of line.matchAll(/docs\/platform\.md,? (?:section )?(\d+(?:\.\d+)?[a-d]?)\b/g)) {
    if (!sections.has(number)) problems.push(`${where}: docs/platform.md has no section ${number}`);
  }
}

function checkLinks(name, text) {
  for (const [, target] of text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target) || target.startsWith('/')) continue;
    const [path, anchor] = target.split('#');
    const file = path === '' ? name : join(dirname(name), path);
    if (!known.has(file.replace(/\/$/, ''))) problems.push(`${name}: the link ${target} leads to nothing`);
    else if (anchor && file.endsWith('.md') && !slugs(read(file)).has(anchor)) problems.push(`${name}: ${file} has no heading #${anchor}`);
  }
}

let files = 0;
for (const name of tracked) {
  if (!/^(src|tests|scripts|cmake|docs|bench|packaging|codes|rules|profiles)\/|^[^/]+$/.test(name) || !/\.(md|cpp|hpp|c|cjs|mjs|sh|yaml|txt|cmake|html)$/.test(name)) continue;
  if (/\/golden\/|\/corpus\/|\/seeds\/|package-lock/.test(name)) continue;
  files++;
  const text = read(name);
  const isComment = /\.(md|txt|cmake|sh|yaml)$/.test(name) ? () => true : (line) => /^\s*(\/\/|\*|\/\*)|\s\/\/\s/.test(line);
  text.split('\n').forEach((line, i) => isComment(line) && checkText(name, line, `${name}:${i + 1}`));
  if (name.endsWith('.md')) checkLinks(name, text);
}
for (const problem of problems) console.error(problem);
console.log(`${files} files, ${problems.length} references that lead to nothing`);
process.exit(problems.length === 0 ? 0 : 1);
