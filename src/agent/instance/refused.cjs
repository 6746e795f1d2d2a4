'use strict';
// What native code is refused on a disk that is read-only for it too (read-only.cjs). No hook sees the call, so it is told where the app hears of it: by an error that is logged or that
// nobody catches. SQLite's errors name no file: node:sqlite is watched itself. Told is what is certain alone: who says it names a file, and that file is refused here; or it is native code of
// this machine that says it.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const dressed = require('../shared/dressed.cjs');
const { isDatabase, statOf } = require('../shared/paths.cjs');
const { kUnnamed } = require('./read-only.cjs');

const { accessSync, constants, readFileSync, readSync, readdirSync, readlinkSync } = fs;  // as they are: what we ask is nothing that the app does
// As libvips (sharp) says it, Node, and C with its callers' words. What another machine says may come to an app as well: so the path is a whole one, but for libvips.
const kSaid = [
  /^(.+): unable to open for write\n(?:system|unix) error: Read-only file system/im,
  /unable to open file "([^"\n]+)" for writing\n(?:system|unix) error: Read-only file system/i,
  /EROFS: read-only file system, \w+ '(\/[^'\n]+)'/,
  /['"](\/[^'"\n]+)['"]: Read-only file system|Read-only file system[^'"\n]{0,40}['"](\/[^'"\n]+)['"]/i,
  /(?:^|\s)(\/\S+): Read-only file system/im,
];
// Without a file: as Rust and C say it; SQLite of a database that it has open.
const kNameless = /read-only file system/i;
const kDatabase = /attempt to write a readonly database/i;
// SQLite of one that it cannot open or make: better-sqlite3, sqlite3, libsql (with its number), Prisma.
const kUnopened = /unable to open (?:the )?(?:database file|connection to local database)/i;
// With the file, where its client names it.
const kNamed = /unable to open (?:the )?(?:database file|connection to local database):? +["'`]?((?:file:)?[^\s"'`:]+)/i;
const kClients = /[\\/]node_modules[\\/](?:better-sqlite3|sqlite3|libsql|@libsql[\\/][^\\/]+|@prisma[\\/]client|\.prisma)[\\/]/;
const kSaysItself = /^(?:SqliteError|LibsqlError|Prisma\w*Error)$|^SQLITE_(?:CANTOPEN|READONLY)/;
const kDatabaseFile = /\.(db|db3|sqlite3?)\b/;
const kOfUrl = /^file:(\/\/)?|\?.*$/g;
const kStrings = /(["'`])((?:(?!\1)[^\\\n])*)\1/g;
const kMadeHere = /^(?:new|super|throw)\b|^[\w$.]*Error\(/;  // at an error's first frame: by JavaScript
const kSqlite = 'SQLite format 3\0';
const kReadOnly = 8;  // SQLite's results
const kCannotOpen = 14;
const kMostText = 4096;
const kDepth = 4;  // of causes

module.exports = function (sim) {
  const { guard, hanging, invocations, machine, options } = sim;
  const { callerOf, tellMachine } = machine;
  const seen = new WeakSet();

  function hookRefused() {
    if (!options.project) return;
    for (const name of ['error', 'warn', 'log']) {
      const real = console[name];
      const watched = function (...args) {
        for (const one of args) if (one instanceof Error) guard('refused', () => lookAtError(one));
        return Reflect.apply(real, this, args);
      };
      console[name] = dressed(watched, real);
    }
  }

  function lookAtError(error, depth = 0) {
    if (!options.project || !(error instanceof Error) || seen.has(error) || depth > kDepth) return;
    seen.add(error);
    const text = String(error.message).slice(0, kMostText);
    const { code, path: given } = /** @type {any} */ (error);
    const named = code === 'EROFS' && typeof given === 'string' ? path.resolve(given) : undefined;  // Node's own, of a thread or of its reports
    if (named !== undefined && isRefused(named)) return void toldOf('native code', sim.diskInWords(named), error);
    const database = unopenedIn(text, error);
    if (database !== undefined) return void toldOf('SQLite', sim.diskInWords(database), error);
    const file = kSaid.map((pattern) => pattern.exec(text)?.slice(1).find(Boolean)).find((one) => one !== undefined && isRefused(path.resolve(one)));
    if (file !== undefined) return void toldOf('native code', sim.diskInWords(path.resolve(file)), error);
    const nameless = kSaid.some((pattern) => pattern.test(text)) ? undefined : namelessIn(text, error);
    if (nameless !== undefined) return void toldOf('native code', nameless, error);
    lookAtError(error.cause, depth + 1);
    if (error instanceof AggregateError) for (const one of error.errors.slice(0, 10)) lookAtError(one, depth + 1);
  }

  // What was refused, in words, where an error names no file. Whatever of this machine is read-only is so there too, so it is enough that the error is of this
  // machine: made by native code, or of a database that is open here.
  function namelessIn(text, error) {
    if (kDatabase.test(text) && error.code !== 'ERR_SQLITE_ERROR') {
      const open = openDatabases();
      if (open.length === 0 && isOfClient(error)) open.push(...databasesNamed(error));
      return open.length === 0 ? undefined : open.length === 1 ? sim.diskInWords(open[0]) : kUnnamed;
    }
    return kNameless.test(text) && isNative(error) ? kUnnamed : undefined;
  }

  // The database that a client could not open, if that file is refused here: as the error names it, else as the app's own lines in its stack do.
  function unopenedIn(text, error) {
    if (!kUnopened.test(text) || error.code === 'ERR_SQLITE_ERROR' || !isOfClient(error)) return undefined;
    const named = kNamed.exec(text)?.[1];
    if (named === undefined) return databasesNamed(error)[0];
    const file = path.resolve(named.replace(/^file:(\/\/)?/, ''));
    return isRefused(file) ? file : undefined;
  }

  // Its frames before its stack: whoever reads that first has it written out.
  const isOfClient = (error) => hanging.framesOf(error).some(({ file }) => kClients.test(file)) || [error.name, error.constructor?.name, error.code, error.message].some((one) => kSaysItself.test(String(one)));

  // Files of databases in the strings of who called, that are refused here: in the line itself, else in its file; of a client that answers later, in all that is loaded of the app. None where
  // another one is named as well that is not refused.
  function databasesNamed(error) {
    const { own } = callerOf(error);
    for (const frame of own) {
      const line = Number(/:(\d+):\d+$/.exec(frame.source ?? '')?.[1]);
      const lines = machine.textOf(frame).split('\n');
      const found = databasesIn(lines.slice(line - 1, line)) ?? databasesIn(lines);
      if (found) return found;
    }
    return (own.length > 0 ? undefined : databasesIn(sim.sourcesWith(kDatabaseFile).flatMap((name) => machine.projectText(name).split('\n')))) ?? [];
  }

  // Undefined: none is named.
  function databasesIn(lines) {
    const named = lines.map((line) => [...line.matchAll(kStrings)].map(([, , one]) => one.replace(kOfUrl, ''))).filter((strings) => strings.some(isDatabase));
    if (named.length === 0) return undefined;
    const refused = named.map(databaseOf);
    return refused.includes(undefined) ? [] : [...new Set(refused)];
  }

  // A path may be put together of several: `join(process.cwd(), 'data', 'app.db')`.
  function databaseOf(strings) {
    const end = strings.findIndex(isDatabase) + 1;
    const files = strings.slice(0, end).map((_, from) => path.resolve(...strings.slice(from, end)));
    return files.find((one) => statOf(path.dirname(one))?.isDirectory() && isRefused(one));
  }

  // An error that native code has made and nobody has dressed: without a frame (from another thread), or with its first where native code was called.
  function isNative(error) {
    const isPlain = Object.getPrototypeOf(error) === Error.prototype && Object.keys(error).every((key) => key === 'code');
    if (!isPlain || error.syscall !== undefined) return false;
    const [first] = hanging.framesOf(error);
    if (!/^\s+at /m.test(String(error.stack))) return true;
    const [, file, line, column] = /^(?:file:\/\/)?(\/.*):(\d+):(\d+)$/.exec(first?.at ?? '') ?? [];
    if (file === undefined) return false;
    const text = readFileSync(file, 'utf8').split('\n')[Number(line) - 1] ?? '';
    return text !== '' && !kMadeHere.test(text.slice(Number(column) - 1));
  }

  // SQLite's files that somebody here holds open and could not open for writing, though they are on the disk that is read-only.
  function openDatabases() {
    const found = new Set();
    for (const fd of readdirSync('/proc/self/fd')) {
      try {
        const file = readlinkSync(`/proc/self/fd/${fd}`);
        const isReadOnly = (Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8) & (constants.O_WRONLY | constants.O_RDWR)) === 0;
        if (!isReadOnly || !file.startsWith('/') || !isRefused(file)) continue;
        const head = Buffer.alloc(kSqlite.length);
        readSync(Number(fd), head, 0, head.length, 0);
        if (head.toString('latin1') === kSqlite) found.add(file);
      } catch {
        // closed meanwhile, or nothing that could be read
      }
    }
    return [...found];
  }

  // By the system itself, whoever asks. A file that is not there is refused by its folder.
  function isRefused(file) {
    for (const at of [file, path.dirname(file)]) {
      try {
        accessSync(at, constants.W_OK);
        return false;
      } catch (error) {
        if (error.code !== 'ENOENT') return error.code === 'EROFS';
      }
    }
    return false;
  }

  function toldOf(who, to, trace) {
    const told = invocations.getStore()?.toldWrites;
    if (told?.has(to) || told?.has(kUnnamed)) return;  // by who was refused it: a child's words may name no file
    tellMachine({ kind: 'disk', what: `a write by ${who}`, to, place: callerOf(trace).place, refused: true });
  }

  // Of a native addon whose call is seen: its errors may be caught, and then nobody hears of them.
  function lookAtWrite(given, below) {
    const file = path.resolve(String(given));
    if (options.project && isRefused(file)) toldOf('native code', sim.diskInWords(file), hanging.traceBelow(below));
  }

  // ---- node:sqlite ---------------------------------------------------------------------------------------------------------------------

  const files = new WeakMap();  // database or statement → the file that it writes

  function hookSqlite(real) {
    const Database = real.DatabaseSync;
    if (!options.project || typeof Database !== 'function' || files.has(real)) return undefined;
    files.set(real, '');
    class DatabaseSync extends Database {
      constructor(...args) {
        const file = args[1]?.readOnly ? undefined : fileOf(args[0]);
        if (file !== undefined) guard('refused', () => sim.holdIfChosen(callerOf(hanging.traceBelow(DatabaseSync))));
        try {
          super(...args);
        } catch (error) {
          guard('refused', () => failed(file, error, DatabaseSync));
          throw error;
        }
        if (file !== undefined) files.set(this, file);
      }
    }
    real.DatabaseSync = DatabaseSync;
    for (const name of ['open', 'exec', 'prepare']) watch(Database.prototype, name);
    for (const name of ['run', 'get', 'all', 'iterate']) watch(real.StatementSync?.prototype, name);
    require('node:module').syncBuiltinESMExports();
    return undefined;
  }

  function watch(holder, name) {
    const method = holder?.[name];
    if (typeof method !== 'function') return;
    holder[name] = function watched(...args) {
      const file = files.get(this);
      try {
        const result = Reflect.apply(method, this, args);
        if (name === 'prepare' && file !== undefined) files.set(result, file);
        return result;
      } catch (error) {
        guard('refused', () => failed(file, error, watched));
        throw error;
      }
    };
    dressed(holder[name], method);
  }

  function failed(file, error, below) {
    const result = Number(error?.errcode) & 0xff;
    if (file !== undefined && (result === kReadOnly || result === kCannotOpen) && isRefused(file)) toldOf('node:sqlite', sim.diskInWords(file), hanging.traceBelow(below));
  }

  function fileOf(given) {
    if (given instanceof URL || /^file:/.test(String(given))) return String(given).startsWith('file:/') ? fileURLToPath(String(given).replace(/[?#].*$/s, '')) : undefined;
    const name = String(given);
    return name === '' || name === ':memory:' ? undefined : path.resolve(name);
  }

  return { hookRefused, lookAtError, lookAtWrite, refusedHooks: [[/^node:sqlite$/, hookSqlite]] };
};
