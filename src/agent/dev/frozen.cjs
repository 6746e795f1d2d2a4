'use strict';
// In next dev, with `static.frozen`: what Next would have made at build is answered as it was first, as the platform answers it from what the build has
// made: until its `revalidate` is over, one of its tags or its path is revalidated, or a source of it is compiled anew. Instances tell what they have
// rendered (made-at-build.cjs); a request that is answered from here reaches none.

const http = require('node:http');
const { isDraft } = require('../next/names.cjs');
const { keyOf } = require('../shared/made-key.cjs');

const kMost = 500;  // answers

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
    if (req.method !== 'GET' || isDraft(req.headers)) return false;
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
