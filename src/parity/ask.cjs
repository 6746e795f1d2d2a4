'use strict';
// One request of a probe over HTTP/1.1, as bytes come: what is looked at here (heads of 30 KB, an upgrade, how a body ends) `fetch` does not show.

const http = require('node:http');
const https = require('node:https');

const kKept = 200_000;  // characters of a body

// {status, headers, text, bytes, ending: 'complete' | 'broken off', firstBefore: the first byte came that many seconds before the end}, or
// {ending: 'no answer' | code of the error} where no head came. `deadline`: ms; `leave`: ms after the first byte, at which the client goes ('left').
function ask(base, target, { method = 'GET', headers = {}, body = undefined, deadline = 30_000, leave = undefined } = {}) {
  const url = new URL(target, base);
  const begun = performance.now();
  const since = () => (performance.now() - begun) / 1000;
  return new Promise((done) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      agent: false,
      headers: { accept: '*/*', ...headers, ...(body && { 'content-length': body.length }) },
    });
    let answer;
    const end = (ending) => {
      clearTimeout(timer);
      done({ ...answer, ending, firstBefore: answer?.first === undefined ? 0 : since() - answer.first });
      request.destroy();
    };
    const timer = setTimeout(() => end(answer ? 'broken off' : 'no answer'), deadline);
    request.on('error', (error) => {
      // Who refuses a body may close while it is being sent: the answer is there, or comes.
      if (!answer) end(/** @type {any} */ (error).code ?? 'no answer');
    });
    const take = (response, socket) => {
      answer = { status: response.statusCode, headers: response.headers, text: '', bytes: 0 };
      if (socket) {
        socket.destroy();
        return end('complete');
      }
      response.on('data', (chunk) => {
        if (answer.first === undefined && leave !== undefined) setTimeout(() => end('left'), leave);
        answer.first ??= since();
        answer.bytes += chunk.length;
        if (answer.text.length < kKept) answer.text += chunk.toString('utf8');
      });
      response.on('end', () => end('complete'));
      response.on('error', () => end('broken off'));
      return undefined;
    };
    request.on('response', (response) => take(response));
    request.on('upgrade', take);
    request.end(body);
  });
}

module.exports = { ask };
