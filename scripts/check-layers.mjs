// Fails on any #include between modules of src/ that CMakeLists.txt does not declare, on a cycle, and on a pure module that reaches for
// sockets, processes, files or clocks; in the agent on a `require` that leads out of what its folder may see, and on what only src/agent/next/ may know: files
// of Next's, and which version it is. Usage: node check-layers.mjs build/modules.json
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = new Map(JSON.parse(readFileSync(process.argv[2], 'utf8')).map((m) => [m.name, m]));
const problems = [];
const seen = [];
for (const m of modules.values()) {
  for (const d of m.depends) {
    if (!seen.includes(d)) problems.push(`CMakeLists.txt: ${m.name} depends on ${d}, which is not declared before it`);
    if (m.pure && !modules.get(d)?.pure) problems.push(`CMakeLists.txt: pure module ${m.name} depends on ${d}, which is not pure`);
  }
  seen.push(m.name);
}
const impure = /#include\s*<(boost\/(asio|beast|process|filesystem)\b|filesystem|fstream|iostream|thread|mutex|sys\/|unistd\.h|fcntl\.h|poll\.h|signal\.h|ctime|time\.h|spdlog)|\b(steady_clock|system_clock|high_resolution_clock)::now\b|std::random_device/;
let files = 0;
for (const m of modules.values()) {
  let names;
  try { names = readdirSync(join(root, 'src', m.name)); } catch { continue; }
  for (const name of names.filter((n) => /\.(hpp|cpp)$/.test(n))) {
    files++;
    const where = `src/${m.name}/${name}`;
    readFileSync(join(root, where), 'utf8').split('\n').forEach((line, i) => {
      const inc = /^\s*#\s*include\s*"([^/"]+)\//.exec(line)?.[1];
      if (inc && inc !== m.name && !m.depends.includes(inc)) problems.push(`${where}:${i + 1}: ${m.name} includes ${inc}/, which CMakeLists.txt does not declare`);
      if (m.pure && impure.test(line)) problems.push(`${where}:${i + 1}: pure module ${m.name} touches the world: ${line.trim()}`);
    });
  }
}

const agent = { next: [], shared: ['next'], instance: ['next', 'shared'], dev: ['next', 'shared', 'instance'] };
const ofNext = /** @type {[RegExp, string][]} */ ([
  [/next(\/|\[\\\\\/\])dist/, "a file of Next's"],
  [/Next internals|NextInternal|__NEXT_PRIVATE|\bnext\.(load|loadFirst|metaOf)\b/, "Next's internals"],
  [/\b(version|hello\.next)\b.*(\.startsWith|[=!]==|[<>]=? *\d)|\b(parseInt|test)\([^)]*(version|hello\.next)\b/, 'which version of Next it is'],
]);
for (const [folder, sees] of Object.entries(agent)) {
  for (const name of readdirSync(join(root, 'src/agent', folder)).filter((n) => n.endsWith('.cjs'))) {
    files++;
    const where = `src/agent/${folder}/${name}`;
    readFileSync(join(root, where), 'utf8').split('\n').forEach((line, i) => {
      const to = /\brequire\('\.\.\/(\w+)\//.exec(line)?.[1];
      if (to && !sees.includes(to)) problems.push(`${where}:${i + 1}: src/agent/${folder}/ may not see ${to}/`);
      if (folder === 'next') return;
      for (const [pattern, what] of ofNext) if (pattern.test(line)) problems.push(`${where}:${i + 1}: only src/agent/next/ knows ${what}: ${line.trim()}`);
    });
  }
}
if (files === 0) problems.push('no source file found: the check itself is broken');
for (const p of problems) console.error(p);
console.log(`${files} files, ${modules.size} modules, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
