// The parts of the agent and what they take of each other (`sim`), in next dev and in instances: fails when a part takes what no part of that process gives, when two give
// one name, and when a field is written by more than one file. `?.` says that a part may be without it. Usage: node check-parts.mjs [--list], which prints who takes what of whom
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ts = createRequire(join(root, 'tests/lint/package.json'))('typescript');
const folder = join(root, 'src/agent');
const problems = [];

// {takes: name → is it needed, gives: names, writes: names} of a file, in which `sim` is what parts share.
function partOf(name) {
  const file = ts.createSourceFile(name, readFileSync(join(folder, `${name}.cjs`), 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const takes = new Map();
  const gives = new Set();
  const writes = new Set();
  const take = (what, isNeeded) => takes.set(what, takes.get(what) || isNeeded);
  const isSim = (node) => node && ts.isIdentifier(node) && node.text === 'sim';
  const keysOf = (literal) => literal.properties.flatMap((one) => (one.name ? [one.name.text] : []));
  const isFactory = (node) => ts.isFunctionExpression(node) && ts.isBinaryExpression(node.parent) && node.parent.left.getText() === 'module.exports';
  const visit = (node) => {
    if (ts.isPropertyAccessExpression(node) && isSim(node.expression)) {
      const { parent } = node;
      const isWritten = ts.isBinaryExpression(parent) && parent.left === node && /^(\?\?|\|\|)?=$/.test(parent.operatorToken.getText());
      if (isWritten) writes.add(node.name.text);
      else take(node.name.text, !(parent.questionDotToken && parent.expression === node) && !isTested(node));
    }
    if (ts.isVariableDeclaration(node) && isSim(node.initializer) && ts.isObjectBindingPattern(node.name)) for (const one of node.name.elements) take((one.propertyName ?? one.name).text, !one.initializer);
    if (ts.isCallExpression(node) && node.expression.getText() === 'Object.assign' && isSim(node.arguments[0]) && node.arguments[1] && ts.isObjectLiteralExpression(node.arguments[1])) keysOf(node.arguments[1]).forEach((key) => writes.add(key));
    if (ts.isReturnStatement(node) && node.expression && ts.isObjectLiteralExpression(node.expression) && isFactory(node.parent.parent)) keysOf(node.expression).forEach((key) => gives.add(key));
    if (name === 'shared/shared' && ts.isVariableDeclaration(node) && node.name.getText() === 'sim') keysOf(node.initializer.expression).forEach((key) => gives.add(key));
    // What is made with it takes for it.
    if (ts.isCallExpression(node) && isSim(node.arguments[0]) && ts.isCallExpression(node.expression) && node.expression.expression.getText() === 'require' && ts.isStringLiteral(node.expression.arguments[0])) {
      const within = partOf(join(dirname(name), node.expression.arguments[0].text).replace(/\.cjs$/, ''));
      for (const [what, isNeeded] of within.takes) take(what, isNeeded);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { name, takes, gives, writes };
}

// `if (sim.x)`, `sim.x && …`, `sim.x ? …`, `sim.x ?? …`, `sim.x === undefined`: it is asked whether it is there.
function isTested(node) {
  const { parent } = node;
  if (ts.isIfStatement(parent) || (ts.isConditionalExpression(parent) && parent.condition === node) || ts.isPrefixUnaryExpression(parent)) return true;
  return ts.isBinaryExpression(parent) && parent.left === node && ['&&', '??', '===', '!=='].includes(parent.operatorToken.getText());
}

const listsIn = (name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/'((?:dev|instance|shared)\/[\w-]+)'/g)].map(([, part]) => part);
const roles = {
  'next dev': ['shared/shared', 'dev/agent', ...listsIn('dev/agent.cjs')],
  'an instance': ['shared/shared', 'instance/instance', 'instance/environment', ...listsIn('instance/instance-parts.cjs')],
};
const known = new Map();
for (const [role, names] of Object.entries(roles)) {
  const parts = [...new Set(names)].map((name) => known.get(name) ?? known.set(name, partOf(name)).get(name));
  const owners = new Map();
  for (const part of parts) for (const name of new Set([...part.gives, ...part.writes])) owners.set(name, [...(owners.get(name) ?? []), part]);
  for (const [name, all] of owners) if (all.length > 1) problems.push(`${role}: ${name} is of ${all.map((one) => one.name).join(' and ')}`);
  for (const part of parts)
    for (const [name, isNeeded] of part.takes) {
      if (isNeeded && !owners.has(name)) problems.push(`${role}: ${part.name} takes ${name}, which nobody gives`);
    }
  if (process.argv.includes('--list'))
    for (const part of parts) {
      const from = new Map();
      for (const name of part.takes.keys()) for (const owner of owners.get(name) ?? []) if (owner !== part) from.set(owner.name, [...(from.get(owner.name) ?? []), name]);
      console.log(`${role}: ${part.name}\n${[...from].map(([owner, all]) => `    ${owner}: ${all.join(', ')}`).join('\n')}`);
    }
}
for (const problem of [...new Set(problems)]) console.error(problem);
console.log(`${known.size} parts, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
