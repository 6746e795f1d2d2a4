'use strict';
// Static or not. What `next build` would prerender is not an invocation on Vercel. Next decides it by running the page at build time and watching
// whether a dynamic API is used; its dev server watches the same flags, and so do we: an app page is static until it turns out to be
// dynamic, and is dynamic then until something was compiled anew: a run that takes another branch, and one that renders a part of the page for
// the client's router, say nothing of the whole.

const { pathOfData } = require('../next/names.cjs');

module.exports = function (sim) {
  const { guard, invocations, next } = sim;

  const lastRun = new Map();  // page that was dynamic → what `compiled` was then; what others have seen: -1
  let compiled = 0;  // times that something was compiled anew; instances load anew instead
  const prerenderedPaths = new Map();  // page → paths of generateStaticParams or getStaticPaths

  function looksStatic(invocation, page, kind) {
    if (!invocation.readOnly || kind !== 'APP_PAGE') return false;
    return !lastRun.has(page) && (!page.includes('[') || isListed(invocation, page));
  }

  // Other paths of the same page are rendered when they are asked for: by the function.
  function isListed(invocation, page = invocation.page) {
    return prerenderedPaths.get(page)?.has(invocation.path) === true;
  }

  function becameDynamic(invocation = invocations.getStore()) {
    if (invocation?.page === undefined || invocation.isForcedStatic || invocation.isWarming) return;
    invocation.usedDynamic = true;
    sawDynamic(invocation.page);
    invocation.setStatic(false);
  }

  function finished(invocation, status) {
    const { began, isPartial, isWarming, page, readOnly, usedDynamic } = invocation;
    if (began && !isWarming && readOnly && !isPartial && status === 200 && !usedDynamic) sawStatic(page);
  }

  function sawDynamic(page) {
    lastRun.set(page, compiled);
  }

  function sawStatic(page) {
    if (compiled > (lastRun.get(page) ?? Infinity)) lastRun.delete(page);
  }

  const compiledAnew = () => void (compiled += 1);

  // Manifests are written anew with each page that is asked for.
  function forgotten(file) {
    if (next.isOfServer(file) && !next.isBookkeeping(file)) compiledAnew();
  }

  // What the segments of a page say of themselves. Next's dev server does not watch two things that make a page dynamic at build time:
  // `revalidate = 0`, and `searchParams`, which a server component must name to read.
  function readSegments(invocation, segments) {
    if (!invocation.readOnly) return;
    const { isDynamic, isForcedStatic } = declared(segments);
    if (isForcedStatic !== undefined) invocation.isForcedStatic = isForcedStatic;
    if (isDynamic) becameDynamic(invocation);
    else if (invocation.isForcedStatic) invocation.setStatic(!invocation.page.includes('[') || isListed(invocation));
  }

  function declared(segments) {
    let isDynamic = false;
    let isForcedStatic;
    for (const { name, exports } of segments) {
      if (exports?.dynamic !== undefined) isForcedStatic = exports.dynamic === 'force-static';
      if (exports?.dynamic === 'force-dynamic' || exports?.revalidate === 0) isDynamic = true;
      const component = name === 'page' ? exports?.default : undefined;
      if (typeof component === 'function' && /\bsearchParams\b/.test(Function.prototype.toString.call(component))) isDynamic = true;
    }
    return { isDynamic, isForcedStatic };
  }

  // An instance has loaded them ahead of its first request, which may ask for a part of the page and load none.
  function loadedAhead(page, segments) {
    const { isDynamic, isForcedStatic } = declared(segments);
    if (isDynamic && !isForcedStatic) sawDynamic(page);
  }

  // GET alone and, from 15 on, only if the route asks for it.
  function isStaticRoute(invocation, userland) {
    if (!invocation.readOnly || !userland || userland instanceof Promise || invocation.page.includes('[')) return false;
    if (['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].some((method) => method in userland)) return false;
    const { dynamic, revalidate } = userland;
    invocation.isForcedStatic = dynamic === 'force-static';
    if (dynamic === 'force-static' || dynamic === 'error') return true;
    if (dynamic === 'force-dynamic' || revalidate === 0 || lastRun.has(invocation.page)) return false;
    return next.isStaticByDefault() || revalidate === false || revalidate > 0;
  }

  function isStaticPage(invocation, { isKnown, asksServer, isOfBuild, isPlain }) {
    if (!invocation.readOnly || !isKnown || asksServer) return false;
    return isOfBuild ? !invocation.page.includes('[') || isListed(invocation) : isPlain;
  }

  function hookStaticPaths() {
    // A process of its own, which would run user code.
    const ask = (paths) => (invocations.getStore()?.isWarming ? {} : paths());
    next.watchStaticPaths(sim.server, ask, (paths) => {
      guard('static paths', () => {
        const invocation = invocations.getStore();
        if (invocation?.page === undefined || invocation.isWarming) return;
        prerenderedPaths.set(invocation.page, new Set(paths.map(decoded)));
        if (looksStatic(invocation, invocation.page, invocation.kind)) invocation.setStatic(true);
      });
    });
  }

  // The path of a request as the lists have it: without base path, query and the dress of /_next/data.
  function pathOf(url) {
    let path = url.split('?', 1)[0];
    const basePath = sim.server?.nextConfig?.basePath ?? '';
    if (basePath && path.startsWith(basePath)) path = path.slice(basePath.length) || '/';
    return decoded(pathOfData(path) ?? (path.length > 1 ? path.replace(/\/$/, '') : path));
  }

  function decoded(path) {
    try {
      return decodeURIComponent(path);
    } catch {
      return path;
    }
  }

  // Fetches that are not to be cached make a page dynamic at build time; the dev server of 15 and 16 does not watch them. Below Next's own
  // patch of fetch: inside of `unstable_cache` and the like they do no such thing.
  function hookFetch() {
    const { fetch } = globalThis;
    if (typeof fetch !== 'function') return;
    const watched = function (input, init) {
      if (init?.cache === 'no-store' || init?.next?.revalidate === 0) {
        if (next.isOfRequest()) becameDynamic();
      }
      return Reflect.apply(fetch, this, arguments);
    };
    Object.defineProperty(watched, 'name', { value: 'fetch' });
    Object.defineProperty(watched, 'length', { value: fetch.length });
    globalThis.fetch = watched;
  }

  return {
    lastRun,
    prerenderedPaths,
    looksStatic,
    becameDynamic,
    finished,
    sawDynamic,
    sawStatic,
    compiledAnew,
    // Where functions run in next dev itself.
    staticHooks: next.hooksOfForgotten?.({ file: forgotten }),
    readSegments,
    loadedAhead,
    isStaticRoute,
    isStaticPage,
    storeHooks: next.hooksOfStores({ guard, isWatched: () => invocations.getStore() !== undefined, becameDynamic: () => becameDynamic() }),
    hookStaticPaths,
    pathOf,
    hookFetch,
  };
};
