'use strict';
// Next 14: like 15 it matches in its render server, whose modules lie elsewhere; a route handler is made at build unless it asks for the request; revalidated tags
// are the file cache's own. 14.0 and 14.1 put what the router asks into fields of the request.

const common = require('./common.cjs');

module.exports = (given) => common(given, (next, { version }) => ({
  kRouteModules: 'future/route-modules',
  kRequireCache: 'build/webpack/plugins/nextjs-require-cache-hot-reloader',
  kDynamic: { forceDynamic: true, revalidate: 0 },
  isStaticByDefault: () => true,
  serverOf: (handlers) => (handlers.server ?? handlers.app)?.server,
  noFallback: () => next.load('server/base-server.js').NoFallbackError,
  // The locale is in the query.
  localeOf: (server, req, meta, pathname) => server.i18nProvider?.fromQuery(pathname, meta.invokeQuery ?? {}),
  // It keeps what it has read of the data cache for ever, whoever writes it anew.
  configOf: (config) => ({ ...config, cacheMaxMemorySize: 0 }),
  // It maps with its compiler's help, in next dev.
  logError: (error, type, ask) => ask(error, type),
  tags: tagsOfFiles,
  ...(/^14\.[01]\./.test(version) && byFields()),
}));

// file-system-cache.js keeps the manifest for itself, and in a file that it reads once. Each route handler ends with a call for the tags that it has revalidated,
// also if it has none.
function tagsOfFiles(on) {
  let cache;
  let revalidate;

  function hookFiles(FileSystemCache) {
    const { revalidateTag, loadTagsManifest } = FileSystemCache.prototype;
    if (!loadTagsManifest) return;
    FileSystemCache.prototype.revalidateTag = async function (...args) {
      cache = this;
      const tags = [args[0]].flat();
      if (tags.length > 0) on.revalidated();
      const result = await revalidateTag.apply(this, args);
      for (const tag of tags) on.tag(tag, true);
      return result;
    };
    revalidate = (tag) => revalidateTag.call(cache, tag);
    FileSystemCache.prototype.loadTagsManifest = function (...args) {
      cache = this;
      return loadTagsManifest.apply(this, args);
    };
  }

  return { hooks: [], hookFiles, take: (tag) => void (cache && revalidate(tag).catch(() => {})), expiredAt: () => 0, isExpired: () => false };
}

function byFields() {
  const kMeta = Symbol.for('NextInternalRequestMeta');
  return {
    kNotFound: '/not-found',
    metaOf(req) {
      const meta = req[kMeta];
      if (!meta || !('x-invoke-path' in req.headers)) return meta;
      const { 'x-invoke-path': path, 'x-invoke-query': query, 'x-invoke-output': output, 'x-invoke-status': status, 'x-middleware-invoke': middleware } = req.headers;
      return {
        ...meta,
        invokePath: path || undefined,
        invokeQuery: query ? JSON.parse(decodeURIComponent(query)) : {},
        invokeOutput: output || undefined,
        invokeStatus: status ? Number(status) : undefined,
        middlewareInvoke: middleware === '1',
      };
    },
    askForErrorPage(req) {
      delete req.headers['x-invoke-output'];
      Object.assign(req.headers, { 'x-invoke-path': '/500', 'x-invoke-query': '', 'x-invoke-status': '500' });
    },
    // They put the files of instrumentation before those of the middleware, and compile it here only.
    async skipInstrumentation(server) {
      const page = server.actualInstrumentationHookFile;
      if (page) await server.ensurePage({ page, clientOnly: false, definition: undefined }).catch(() => {});
    },
  };
}
