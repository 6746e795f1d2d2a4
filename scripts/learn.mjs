// vercel-sim learn with the runner and the lessons of this checkout instead of those in the program, so that work on them needs no build:
// node scripts/learn.mjs PROGRAM [words of learn, as --name=value]
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const files = new Map();
const walk = (folder) => {
  for (const entry of readdirSync(root + folder, { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !["node_modules", ".next"].includes(entry.name)) walk(name);
    else if (entry.isFile()) files.set(name, readFileSync(root + name));
  }
};
walk("lessons");
const [program, ...words] = process.argv.slice(2);
createRequire(import.meta.url)("../src/learn/main.cjs").main({ program: resolve(program), words, files });
