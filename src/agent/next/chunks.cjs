'use strict';
// How Turbopack and webpack name modules in what they have compiled, and what their text says of them.

const kNamespace = /^__TURBOPACK__imported__module__|__WEBPACK_(IMPORTED|EXTERNAL)_MODULE_/;
const kWebpackNamespace = '__WEBPACK_IMPORTED_MODULE_';
const kNotUsers = /node_modules|\[externals\]|\/next\/dist\/|^next\/|compiled\/react|<builtin>/;
const kBundlers = /^(__turbopack_|__TURBOPACK__(?!imported__module__)|__webpack_|__unused|module$|exports$|require$|__dirname$|__filename$|this$)/;
const kRequire = '__webpack_require__';
const kHandlers = ['handlerUserland', 'handler'];
const kEvaluated = /^webpack-internal:\/\/\/(?:\([\w-]+\)\/)?(?:\.\/)?/;

// A variable that holds a module's exports.
const isNamespace = (name) => kNamespace.test(name);
const isMember = (name) => kNamespace.test(name) || name.includes(kWebpackNamespace);
// A variable that a bundler puts around modules.
const isBundlers = (name) => kBundlers.test(name);
// A module that is not the app's.
const isNotUsers = (name) => kNotUsers.test(name);

// In a chunk of Turbopack's each module begins with a line like `"[project]/lib/x.ts [app-route] (ecmascript)", ((__turbopack_context__…`: [[line, name, from]].
function modulesIn(text) {
  const modules = [];
  let line = 0;
  let from = 0;
  for (const { 1: name, index } of String(text).matchAll(/^"(\[[^"\n]*)"\s*[,:]\s*\(/gm)) {
    for (let at = text.indexOf('\n', from); at >= 0 && at < index; at = text.indexOf('\n', from)) line++, from = at + 1;
    modules.push([line, name, index]);
  }
  return modules;
}

// The file of such a name if the user wrote it.
function usersFile(name) {
  const [, file] = /^\[project\]\/(.+?\.[cm]?[jt]sx?)(?:\s|$)/.exec(name ?? '') ?? [];
  return file === undefined || isNotUsers(name) ? undefined : file;
}

// How Turbopack names a module in its code, `$5b$project$5d2f$lib$2f$x$2e$ts__…` → "lib/x.ts"; undefined for webpack's names.
function moduleOf(name) {
  const text = name
    .replace(/^__TURBOPACK__imported__module__/, '')
    .replace(/\$((?:[0-9a-f]{2})+)\$/g, (_, hex) => Buffer.from(hex, 'hex').toString('utf8'));
  const [, file] = /^\[project\]\/(.+?\.[cm]?[jt]sx?)(__|$|\s)/.exec(text) ?? [];
  return file;
}

// The user's file that a text of Turbopack's names.
const fileIn = (text) => moduleOf(/__TURBOPACK__imported__module__[\w$]+/.exec(text)?.[0] ?? '');

// webpack's modules are named by their files, and their text says which of them a namespace is:
// `_lib_x__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(/*! @/lib/x *\/ \"(rsc)/./lib/x.ts\")`.
function webpackFile(name, file, load) {
  const factories = load?.m;
  if (!file || !factories || !name.includes(kWebpackNamespace)) return undefined;
  const own = Object.keys(factories).find((id) => id.replace(/^\([\w-]+\)\//, '') === `./${file}`);
  if (own === undefined) return undefined;
  const text = textOf(factories[own]);
  const from = text.search(new RegExp(`${escaped(name)}\\s*=`));
  const [, id] = /\\?"([^"\\]+)\\?"\)/.exec(from < 0 ? '' : text.slice(from, from + 1000)) ?? [];
  return id?.includes('node_modules') ? undefined : fileOfId(id ?? '');
}

const escaped = (name) => name.replace(/[$]/g, '\\$&');
const textOf = (fn) => Function.prototype.toString.call(fn);
const fileOfId = (id) => /^(?:\([\w-]+\)\/)?\.\/(.+)$/.exec(id)?.[1];

// In development each is a text that is evaluated: the user's file that has this function or class in it.
function fileOfText(text, factories) {
  const written = JSON.stringify(text).slice(1, -1);
  for (const [id, factory] of Object.entries(factories)) {
    const file = fileOfId(id);
    if (file !== undefined && !isNotUsers(file) && (textOf(factory).includes(written) || textOf(factory).includes(text))) return file;
  }
  return undefined;
}

// What is declared by `const` at the top of its module. `load`: webpack's require, `text`: of the module, Turbopack's.
function isConst(name, file, text, load) {
  if (text !== undefined) return new RegExp(`^const ${escaped(name)} =`, 'm').test(text);
  const factory = load?.m && file && Object.entries(load.m).find(([id]) => fileOfId(id) === file)?.[1];
  return factory !== undefined && factory !== '' && new RegExp(`(?:\\\\n|^|;)const ${escaped(name)} =`, 'm').test(textOf(factory));
}

// The module of a page's Server Actions exports each by its id, through a getter that names the user's module. In 14 (next-flight-action-entry-loader.js)
// through a function that loads the user's module when it is called, of which this is the text:
// `'1f3c…': () => Promise.resolve(…).then(__webpack_require__.bind(__webpack_require__, /*! … *\/ \"(rsc)/./app/actions.ts\")).then(mod => mod[\"sign\"])`
function lateAction(factory, action) {
  const text = factory ? textOf(factory) : '';
  const from = text.indexOf(`'${action}': () =>`);
  const [, id, name] = /__webpack_require__, [^"]*?"([^"\\]+)\\?"\)\)\.then\(mod => mod\[\\?"([^"\\]+)\\?"\]/.exec(from < 0 ? '' : text.slice(from, from + 2000)) ?? [];
  return id && { action, id, name, file: fileOfId(id) };
}

// ---- Names of sources in maps and stacks -------------------------------------------------------------------------------------------------

const isEvaluated = (file) => file.startsWith('webpack-internal:');
// What webpack has evaluated, by the name that it has in the project; undefined for another file.
const evaluatedName = (file) => (kEvaluated.test(file) ? file.replace(kEvaluated, '') : undefined);
const withoutEvaluated = (place) => place.replace(kEvaluated, '');
// Of modules in a text of webpack's.
const evaluatedIn = (text) => [...text.matchAll(/sourceURL=webpack-internal:\/\/\/(?:\([a-z-]+\)\/)?\.\/([^\\\n]+)/g)].map(([, name]) => name);

// A map's name of a source, as the project's: a path that is absolute or from the project's folder.
const sourceName = (source) =>
  source
    .replace(/^file:\/\//, '')
    .replace(/^turbopack:\/\/\/?(\[project\]\/)?/, '')
    .replace(/^webpack(-internal)?:\/\/[^/]*\/(\([a-z-]+\)\/)?(\.\/)?/, '')
    .replace(/\?[0-9a-f]{4}$/, '');  // what webpack tells two sources of one name apart by

// webpack evaluates a module as a string literal of its bundle, which ends with the map and the name: the map in `text`, as base64; undefined: it is not in there.
function evaluatedMap(text, name) {
  const end = text.indexOf(`\\n//# sourceURL=${name}\\n`);
  return end > 0 ? /^data:application\/json;[^,]*base64,([\w+/=]+)$/.exec(text.slice(text.lastIndexOf('data:application/json;', end), end))?.[1] : undefined;
}

module.exports = {
  escaped, evaluatedIn, evaluatedMap, evaluatedName, fileIn, fileOfId, fileOfText, isBundlers, isConst, isEvaluated, isMember, isNamespace, isNotUsers, kHandlers, kRequire,
  lateAction, moduleOf, modulesIn, sourceName, usersFile, webpackFile, withoutEvaluated,
};
