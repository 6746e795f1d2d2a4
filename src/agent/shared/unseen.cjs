'use strict';
// Answers of functions whose begin nobody saw: this Next calls them past the hooks. Said in the head of the answer (docs/agent-protocol.md), so that
// vercel-sim charges it before anybody has a byte of it. What Next answers without user code must never be taken for one.

const { isErrorPage } = require('../next/names.cjs');

const kKinds = new Set(['APP_ROUTE', 'APP_PAGE', 'PAGES_API', 'PAGES']);
const kPages = new Set(['APP_PAGE', 'PAGES']);

module.exports = function () {
  const handledKinds = new Set();  // of which Next's route module has got a request, in this process

  // Next's route module has got the request: what it answers now, it has from the user's code.
  function noteHandled(invocation) {
    invocation.isHandled = true;
    handledKinds.add(invocation.kind);
  }

  // When the head is written. No user code was needed for what Next refuses (4xx, 5xx), for 304, for what its router fetches ahead and for anything of a
  // page that is no document. One answer may serve several requests (14 and 15, a prerendered route): the route module gets the first alone.
  function isUnseen(invocation, res) {
    const { kind, page, runtime } = invocation;
    const { statusCode: status } = res;
    if (invocation.began || invocation.isWarming || !kKinds.has(kind) || status < 200 || status > 399 || status === 304) return false;
    if (invocation.isServed === false) return false;  // somebody stands before Next, and begins right after
    if (invocation.errorPage || isErrorPage(page)) return false;
    if (kPages.has(kind) && !isDocument(res)) return false;
    if (runtime === 'edge') return true;  // its entry is its only way to an answer
    if (invocation.loading > 0) return false;  // modules of a page, seen on their way
    return Boolean(invocation.isHandled) || (status < 300 && !handledKinds.has(kind));
  }

  // A whole page for a browser. Its type is in the text of the head: it may not have been set as a field.
  function isDocument(res) {
    return res.statusCode === 200 && res.req?.method === 'GET' && /\r\ncontent-type: *text\/html/i.test(res._header ?? '');
  }

  return { isErrorPage, isUnseen, noteHandled };
};
