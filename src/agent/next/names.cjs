'use strict';
// How Next names what it does, the same in all versions: files, paths, fields of requests, tags.

const kOwn = /(^|[\\/])node_modules[\\/](\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/])?(next|@next|react|react-dom|scheduler)[\\/]/;
const kSocket = /[\\/]next[\\/]dist[\\/]compiled[\\/]ws[\\/]/;
const kRuntime = /\[turbopack\]|webpack\/(bootstrap|runtime)/;
const kInPlace = /[\\/]node-environment-extensions[\\/]/;
const kDevRequest = /\/_next\/(webpack-)?hmr(\?|$)|\/__nextjs_/;
const kClientRuntime = /\/_next\/static\/chunks\/(webpack|turbopack-[^/?]*|[^/?]*\[turbopack\]_browser_dev_hmr-client[^/?]*)\.js(\?|$)/;
const kErrorPage = /^\/(_error|404|500|(_not-found|_global-error)(\/page)?)$/;
const kMetadata = /\/(sitemap|robots|manifest|favicon|(opengraph|twitter)-image|(apple-)?icon)\d*(\.[a-z]+)?(\/\[[^\]]*\](\.[a-z]+)?)?\/route$/;
const kDraft = /(^|;\s*)__(prerender_bypass|next_preview_data)=/;

// Next's own code and React's.
const isOfNext = (file) => kOwn.test(file);
// The WebSocket that Next brings along.
const isSocketOfNext = (file) => kSocket.test(file);
// The bundler's own, among what was compiled: on whose behalf, the next frame says.
const isRuntime = (file) => kRuntime.test(file);
// What Next puts in the place of Date, Math.random and the like: who calls them is behind that.
const isInPlace = (file) => kInPlace.test(file);

// Next's dev server's own: its socket, which Payload and others listen to in development, and what Sentry asks about an error's place. Nothing that a
// deployment has.
const isDevRequest = (path) => kDevRequest.test(path);
// The first script of every page that hot reload serves, webpack's and Turbopack's; no build of an app has it from here.
const isClientRuntime = (url) => kClientRuntime.test(url);
// Files and images; what getServerSideProps gives is a function's. Without the base path.
const isOwnPath = (path) => path.startsWith('/_next/') && !path.startsWith('/_next/data/');
// The path of a page that getServerSideProps is asked of; undefined: it is none.
const pathOfData = (path) => /^\/_next\/data\/[^/]+(\/.*)\.json$/.exec(path)?.[1];

const isErrorPage = (page) => kErrorPage.test(page ?? '');
// Routes that Next writes itself; what they say of the build's time is meant.
const isMetadata = (page) => kMetadata.test(page);
const isDraft = ({ cookie = '' }) => kDraft.test(cookie);
const actionOf = (headers) => headers['next-action'];

// What the payload for the client's router depends on.
const kVaries = ['rsc', 'next-router-state-tree', 'next-router-prefetch', 'next-router-segment-prefetch', 'next-url'];

// lib/implicit-tags.js, by which revalidatePath finds what stands at a path.
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

// What its request context is asked by: @vercel/functions and Next itself.
const kContexts = ['@vercel/request-context', '@next/request-context'];

module.exports = { actionOf, isClientRuntime, isDevRequest, isDraft, isErrorPage, isInPlace, isMetadata, isOfNext, isOwnPath, isRuntime, isSocketOfNext, kContexts, kVaries, pathOfData, tagsOf };
