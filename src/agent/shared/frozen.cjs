'use strict';
// In next dev, with `static.frozen`: what Next would have made at build is answered as it was first, as the platform answers it from what the build has
// made: until its `revalidate` is over, one of its tags or its path is revalidated, or a source of it is compiled anew. Instances tell what they have
// rendered (made-at-build.cjs); a request that is answered from here reaches none.

const http = require('node:http');

const kMost = 500;  // answers
const kDraft = /(^|;\s*)__(prerender_bypass|next_preview_data)=/;
// What the payload for the client's router depends on.
const kVaries = ['rsc', 'next-router-state-tree', 'next-router-prefetch', 'next-router-segment-prefetch', 'next-url'];
const kOfThisAnswer = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length', 'set-cookie']);

// The same of an instance and of next dev, for one answer. Static pages know no query.
function keyOf(page, url, headers) {
  return [page, url.split('?', 1)[0], ...kVaries.map((name) => headers[name] ?? '')].join('\n');
}

// Next internals: lib/implicit-tags.js, by which revalidatePath finds what stands at a path.
function tagsOf(page, url) {
  const derived = ['/layout'];
  const parts = page.split('/');
  for (let i = 2; i <= parts.length; i += 1) {
    const path = parts.slice(0, i).join('/');
    derived.push(/\/(page|route)$/.test(path) ? path : `${path}/layout`);
  }
  const path = url.split('?', 1)[0];
  return [...derived, path, ...(path === '/' ? ['/index'] : [])].map((tag) => `_N_T_${tag}`);
}

module.exports = function (sim) {
  const { options } = sim;
  const kept = new Map();  // key → {status, headers, body, until, tags, files, path}
  const stale = new Set();  // keys: the next render may still show what the data cache had (revalidateTag(tag, 'max'))

  // Of an instance: the first one stays.
  function freeze({ key, status, headers, body, every, tags, files, path }) {
    if (stale.delete(key)) return;
    const known = kept.get(key);
    if (known && known.until > Date.now()) return;
    kept.delete(key);
    const until = every > 0 ? Date.now() + (every * 1000) / options.timeScale : Infinity;
    kept.set(key, { status, headers, body: Buffer.from(body, 'base64'), until, tags: new Set(tags), files: new Set(files), path });
    if (kept.size > kMost) kept.delete(kept.keys().next().value);
  }

  // The keys of those that are gone.
  function dropWhere(isIt) {
    const gone = [...kept].filter(([, entry]) => isIt(entry)).map(([key]) => key);
    for (const key of gone) kept.delete(key);
    return gone;
  }

  function thawTag(tag, note) {
    const gone = dropWhere(({ tags }) => tags.has(tag));
    if (note?.stale !== undefined) for (const key of gone) stale.add(key);
  }

  // True: it is answered. `res` is Next's, with what middleware has put on it.
  function answerFrozen(req, res, page) {
    if (kept.size === 0) return false;
    const path = req.url.split('?', 1)[0];
    if (req.headers['x-prerender-revalidate']) dropWhere((entry) => entry.path === path);
    if (req.method !== 'GET' || kDraft.test(req.headers.cookie ?? '')) return false;
    const entry = kept.get(keyOf(page, req.url, req.headers));
    if (!entry || entry.until <= Date.now()) return false;
    const { writeHead, end } = http.ServerResponse.prototype;
    writeHead.call(res, entry.status, { ...res.getHeaders(), ...entry.headers, 'content-length': String(entry.body.length) });
    end.call(res, entry.body);
    return true;
  }

  return {
    answerFrozen,
    freeze,
    thaw: () => kept.clear(),
    thawTag,
    hasFrozen: () => kept.size > 0,
    thawFiles: ({ all, environment, files = [] }) => (all || environment ? kept.clear() : dropWhere((entry) => files.some((file) => entry.files.has(file)))),
  };
};

module.exports.keyOf = keyOf;
module.exports.tagsOf = tagsOf;
module.exports.kOfThisAnswer = kOfThisAnswer;
