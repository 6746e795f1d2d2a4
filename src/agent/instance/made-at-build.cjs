'use strict';
// What is kept of an answer that Next would have made at build: a digest, told when the answer is over, with what makes it static and how long it is
// good for. vercel-sim compares it with the one before (limits/made_at_build.hpp). Only answers that are static cost anything.

const { createHash } = require('node:crypto');
const { keptOf } = require('../next/flight.cjs');
const { isDraft, isMetadata, tagsOf } = require('../next/names.cjs');
const { keyOf } = require('../shared/made-key.cjs');
const { statOf } = require('../shared/paths.cjs');

const kMost = 4 * 1024 * 1024;  // bytes of a document
const kMostFiles = 1000;
const kOfThisAnswer = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length', 'set-cookie']);
const kDatabase = /\.(db|sqlite3?|mdb|duckdb|pglite)(-wal|-shm|-journal)?$/;

module.exports = function (sim) {
  const { boot, guard, machine, next, tell } = sim;
  // One page is both there: what is cached, and what is rendered for each request.
  const isBoth = () => next.isPartlyStatic(boot.config);
  const isWatched = () => !isBoth() && (machine.modeOf('static') !== 'off' || isFreezing());
  const isFreezing = () => machine.modeOf('frozen') === 'on';

  const digestOf = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha1')).digest('base64');

  // ---- The answer --------------------------------------------------------------------------------------------------------------------

  function watchMade(res, invocation) {
    const { isPartial, isWarming, req, runtime } = invocation;
    if (isWarming || (isPartial && !isFreezing()) || runtime === 'edge' || req.method !== 'GET' || !isWatched()) return;
    if (isDraft(req.headers)) return;
    const chunks = [];
    let size = 0;
    const take = (chunk, encoding) => {
      if (size > kMost || !invocation.isStatic || (invocation.kind === 'PAGES' && !isFreezing())) return;
      if (typeof chunk === 'string') chunk = Buffer.from(chunk, typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : undefined);
      if (!(chunk instanceof Uint8Array)) return;
      size += chunk.length;
      chunks.push(Buffer.from(chunk));
    };
    const { write, end } = res;
    res.write = function (...args) {
      guard('made at build', () => take(args[0], args[1]));
      return Reflect.apply(write, this, args);
    };
    res.end = function (...args) {
      guard('made at build', () => take(args[0], args[1]));
      return Reflect.apply(end, this, args);
    };
    invocation.answered = () => (size > 0 && size <= kMost ? Buffer.concat(chunks) : undefined);
  }

  function watchProps(invocation, page) {
    if (!invocation.answered) return;
    page.watchProps((result, context) => {
      guard('made at build', () => {
        if (result?.props) invocation.props = { result, context };
      });
    });
  }

  // ---- What is kept of it --------------------------------------------------------------------------------------------------------------

  function tellMade(invocation) {
    const { answered, id, isStatic, kind, page, req, res } = invocation;
    invocation.answered = undefined;
    if (!answered || !isStatic || !invocation.began || invocation.usedDynamic || res.statusCode !== 200 || !res.writableFinished) return;
    if (isFreezing()) guard('frozen', () => tellFrozen(invocation, answered()));
    if (isMetadata(page) || invocation.isPartial || machine.modeOf('static') === 'off') return;
    const kept = kind === 'PAGES' ? ofProps(invocation) : ofAnswer(invocation, answered());
    if (!kept) return;
    const read = newestRead();
    if (read === undefined) return;
    const files = sim.loadedFiles().slice(0, kMostFiles);
    tell({ t: 'made', id, key: `${page} ${kept.address ?? req.url}`, digest: kept.digest, by: kept.by, kind: kept.kind, every: everyOf(invocation, kept.every), read, files });
  }

  // With `static.frozen` next dev answers with it from now on (frozen.cjs).
  function tellFrozen(invocation, body) {
    const { cachedTags = [], kind, page, props, req, res, segments, userland } = invocation;
    if (!body || (kind === 'PAGES' && props === undefined && /^\/_?error$/.test(page))) return;
    let every = 0;
    if (kind === 'PAGES') every = props ? Number(props.result.revalidate) || 0 : 0;
    else every = everyOf(invocation, reasonOf(kind === 'APP_ROUTE' ? [{ exports: userland }] : segments ?? [], '').every);
    const headers = Object.fromEntries(Object.entries(res.getHeaders()).filter(([name]) => !kOfThisAnswer.has(name) && !name.startsWith('x-vsim-')));
    const path = req.url.split('?', 1)[0];
    const tags = [...tagsOf(page, req.url), ...cachedTags];
    sim.peer.tell('freeze', { key: keyOf(page, req.url, req.headers), status: res.statusCode, headers, body: body.toString('base64'), every, tags, files: sim.loadedFiles().slice(0, kMostFiles), path });
  }

  function ofProps({ props }) {
    if (!props || typeof props.result.props?.then === 'function') return undefined;
    const { result, context } = props;
    const { params, locale, draftMode, preview } = context ?? {};
    if (draftMode || preview) return undefined;
    const every = result.revalidate === true ? 1 : Number(result.revalidate) || 0;
    const by = `getStaticProps${every ? ` with revalidate: ${every}` : ' without `revalidate`'}`;
    return { kind: 'props', digest: digestOf(JSON.stringify(result.props)), address: JSON.stringify([params, locale]), by, every };
  }

  /** @returns {{ kind: string, digest: any, every: number, by: string, address?: string }} */
  function ofAnswer(invocation, body) {
    if (!body) return undefined;
    if (invocation.kind === 'APP_ROUTE') {
      const { res, userland } = invocation;
      return { kind: 'handler', digest: digestOf(String(res.getHeader('content-type')), body), ...reasonOf([{ exports: userland }], 'handler') };
    }
    if (invocation.kind !== 'APP_PAGE') return undefined;
    const digest = guard('flight', () => keptOf(body.toString()));
    return digest && { kind: 'page', digest, ...reasonOf(invocation.segments, 'page') };
  }

  function reasonOf(segments, what) {
    const said = segments.map(({ exports, file }) => ({ dynamic: exports?.dynamic, revalidate: exports?.revalidate, file }));
    const every = Math.min(...said.map(({ revalidate }) => (revalidate > 0 ? Number(revalidate) : Infinity)));
    if (every !== Infinity) return { every, by: `revalidate = ${every}` };
    const forced = said.findLast(({ dynamic }) => dynamic === 'force-static' || dynamic === 'error');
    if (forced) return { every: 0, by: `dynamic = '${forced.dynamic}'` };
    if (said.some(({ revalidate }) => revalidate === false)) return { every: 0, by: 'revalidate = false' };
    return { every: 0, by: `nothing in the ${what} asks for the request (cookies, headers, ${what === 'page' ? 'searchParams, connection()' : 'the request itself'}, an uncached fetch)` };
  }

  // Of the segments, and of what it has read of the data cache.
  function everyOf({ cachedFor }, own) {
    const every = Math.min(own || Infinity, cachedFor ?? Infinity);
    return every === Infinity ? 0 : every;
  }

  // An entry of the data cache.
  function noteCached({ every, tags }) {
    const invocation = sim.invocations.getStore();
    if (invocation && tags.length > 0) invocation.cachedTags = [...(invocation.cachedTags ?? []), ...tags];
    if (invocation && every > 0) invocation.cachedFor = Math.min(invocation.cachedFor ?? Infinity, every);
  }

  // ---- What makes it another one by right ------------------------------------------------------------------------------------------------

  const tellRevalidated = () => void tell({ t: 'revalidated' });

  // An edit of what this process has read of the project, as of a page in Markdown: told by the time of the newest.
  function newestRead() {
    const all = sim.readFiles();
    if (!all) return undefined;  // too many
    let read = 0;
    for (const file of all) {
      if (kDatabase.test(file)) continue;
      read = Math.max(read, statOf(file)?.mtimeMs ?? 0);
    }
    return Math.ceil(read);
  }

  return { isFreezing, watchMade, watchProps, tellMade, noteCached, tellRevalidated };
};
