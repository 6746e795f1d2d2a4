// Content-Length and Transfer-Encoding of requests: where requests are smuggled (RFC 9112 6).
import {atMost, cleanFraming, closes, either, fine, noSmuggling, originBody, originLacks, reaches, refused, refusedOrClosed, request, responseCount, status, statusOf} from '../lib/expect.mjs';
import {chunkedPost, get, head, kHost, kSmuggled, post, suite} from './make.mjs';

const {cases, must, should, secure} = suite('length', '9112 6.3');
export default cases;

const kSettle = {settle: 120, responses: 1};
const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
const kEnd = '0\r\n\r\n';

must('post', 'a body of Content-Length reaches the origin', post(['Content-Length: 5'], 'hello'), [fine(), cleanFraming, originBody('hello')]);
must('zero', 'Content-Length: 0', post(['Content-Length: 0']), [fine(), originBody('')]);
must('none', 'a POST without a length has no body', post([]), [fine(), originBody('')]);
must('get-body', 'a GET with a body is passed on with it', head('GET {p} HTTP/1.1', kHost, 'Content-Length: 5') + 'hello', either([fine(), cleanFraming, originBody('hello')], refused()), {rfc: '9110 9.3.1', security: true});
must('delete-body', 'a DELETE with a body', head('DELETE {p} HTTP/1.1', kHost, 'Content-Length: 5') + 'hello', either([fine(), cleanFraming, originBody('hello')], refused()), {rfc: '9110 9.3.5', security: true});
must('head-body', 'a HEAD with a body does not confuse the next request', head('HEAD {p} HTTP/1.1', kHost, 'Content-Length: 5') + 'hello' + get(), either([statusOf(0, 200), statusOf(1, 200), reaches(2)], refused()), {methods: ['HEAD', 'GET'], responses: 2, security: true, origin: {each: ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']}});
must('options-body', 'an OPTIONS with a body', head('OPTIONS {p} HTTP/1.1', kHost, 'Content-Type: text/plain', 'Content-Length: 5') + 'hello', [fine(), cleanFraming, originBody('hello')], {rfc: '9110 9.3.7'});
must('unknown-method-body', 'an unknown method with a body', head('FROB {p} HTTP/1.1', kHost, 'Content-Length: 5') + 'hello', either([fine(), cleanFraming, originBody('hello')], refused(405, 501)), {rfc: '9110 9.1'});
must('leading-zeros', 'leading zeros are digits: read as the number, or refused', post(['Content-Length: 0005'], 'hello'), either([fine(), originBody('hello'), cleanFraming], refused()), {rfc: '9110 8.6'});
must('ows', 'white space around the number is none of it', post(['Content-Length: \t5 \t'], 'hello'), [fine(), originBody('hello'), cleanFraming], {rfc: '9110 8.6'});

for (const [name, value] of [
  ['plus', '+5'], ['minus', '-5'], ['minus-zero', '-0'], ['hex', '0x5'], ['hex-letters', 'a'], ['float', '5.0'], ['exponent', '5e0'], ['words', 'five'], ['trailing', '5a'], ['trailing-space-digit', '5 0'], ['inner-tab', '5\t0'], ['comma-different', '5, 6'], ['comma-empty', ',5'], ['comma-trailing', '5,'],
  ['empty', ''], ['quoted', '"5"'], ['semicolon', '5;x'], ['overflow-64', '18446744073709551621'], ['overflow-63', '9223372036854775813'], ['huge', '9'.repeat(40)], ['nul', '5\0'], ['vt', '\x0b5'], ['underscore', '1_0'], ['octal', '0o5'], ['arabic', '\xd9\xa5'],
]) {
  const allowed = name.startsWith('overflow') || name === 'huge' ? refused(400, 413) : refusedOrClosed(400);
  secure(`bad-${name}`, `Content-Length: ${JSON.stringify(value)} is refused`, post([`Content-Length: ${value}`], 'hello'), [allowed, noSmuggling], {rfc: '9112 6.3'});
}
secure('bad-closes', 'after an invalid Content-Length the connection is closed', post(['Content-Length: x'], kSmuggled), [status(400), closes, noSmuggling, reaches(0)]);
secure('empty-then-smuggle', 'an empty Content-Length does not hide a request', post(['Content-Length:'], kSmuggled), [noSmuggling, refusedOrClosed(400)], kSettle);
secure('two-different', 'two different Content-Length are refused', post(['Content-Length: 5', 'Content-Length: 6'], 'hello!'), refused(), kSettle);
secure('two-different-closes', 'after two different Content-Length the connection is closed', post(['Content-Length: 0', 'Content-Length: 52'], kSmuggled), [refused(), closes, noSmuggling]);
secure('two-equal', 'two equal Content-Length are refused or made one', post(['Content-Length: 5', 'Content-Length: 5'], 'hello'), either(refused(), [fine(), cleanFraming, originBody('hello')]), {rfc: '9110 8.6'});
secure('list-equal', 'a list of equal lengths is refused or made one', post(['Content-Length: 5, 5'], 'hello'), either(refused(), [fine(), cleanFraming, originBody('hello')]), {rfc: '9110 8.6'});
secure('two-equal-padded', '5 and 05 are refused or made one', post(['Content-Length: 5', 'Content-Length: 05'], 'hello'), either(refused(), [fine(), cleanFraming, originBody('hello')]), {rfc: '9110 8.6'});
secure('two-one-bad', 'a good and a bad Content-Length are refused', post(['Content-Length: 5', 'Content-Length: x'], 'hello'), refused(), kSettle);
secure('three', 'three Content-Length of which one differs are refused', post(['Content-Length: 5', 'Content-Length: 5', 'Content-Length: 4'], 'hello'), refused(), kSettle);
secure('list-different', 'a list of different lengths is refused', post(['Content-Length: 5,6'], 'hello!'), refused(), kSettle);
secure('space-colon', 'Content-Length with a space before the colon is refused', post(['Content-Length : 5'], 'hello'), refused(), {...kSettle, rfc: '9112 5.1'});
secure('not-from-connection', 'Connection: Content-Length does not take the framing away', post(['Content-Length: 52', 'Connection: Content-Length'], kSmuggled.padEnd(52)), [noSmuggling, either(refused(), [status(200), cleanFraming])], {...kSettle, rfc: '9110 7.6.1'});
secure('te-not-from-connection', 'Connection: Transfer-Encoding does not take the framing away', chunkedPost(chunk(kSmuggled) + kEnd, 'Connection: Transfer-Encoding'), [noSmuggling, either(refused(), [status(200), cleanFraming])], {...kSettle, rfc: '9110 7.6.1'});
must('short', 'a body shorter than its length is no whole request for the origin', [post(['Content-Length: 10'], 'hello'), {end: true}], (r) => r.origin.find((e) => e.bodyDone) && 'the origin got a whole request', {rfc: '9112 8', responses: 0, settle: 150});
must('long', 'bytes after the body are the next request', post(['Content-Length: 5'], 'hello') + get(), [statusOf(0, 200), statusOf(1, 200), reaches(2), originBody('hello')], {responses: 2});
must('long-garbage', 'garbage after the body is refused as a request', post(['Content-Length: 5'], 'hello\x01\x02\x03\r\n\r\n'), [statusOf(0, 200), either(statusOf(1, 400), responseCount(1)), atMost(1)], {responses: 1, ends: true});
must('crlf-after-body', 'an extra CRLF after a POST body is ignored', post(['Content-Length: 5'], 'hello\r\n') + get(), [statusOf(0, 200), statusOf(1, 200), reaches(2)], {responses: 2, rfc: '9112 2.2'});
must('pieces', 'a body in pieces', [post(['Content-Length: 6'], 'he'), {pause: 20}, 'll', {pause: 20}, 'o!'], [fine(), originBody('hello!')]);
must('large', 'a body of 1 MB', post(['Content-Length: 1000000'], 'x'.repeat(1000000)), [fine(), request((ex) => ex.bodyText.length !== 1000000 && `the origin got ${ex.bodyText.length} bytes`)], {deadline: 15000});
must('not-utf8', 'a body of any bytes', post(['Content-Length: 256'], String.fromCharCode(...Array(256).keys())), [fine(), originBody(String.fromCharCode(...Array(256).keys()))]);

// both
secure('cl-te', 'both lengths: refused, or Transfer-Encoding alone and the connection closed (CL.TE)', post(['Content-Length: 6', 'Transfer-Encoding: chunked'], '0\r\n\r\nG'), either(refused(), [status(200), cleanFraming, closes, atMost(1)]), {rfc: '9112 6.1'});
secure('te-cl', 'both lengths the other way round (TE.CL)', post(['Transfer-Encoding: chunked', 'Content-Length: 4'], chunk(kSmuggled) + kEnd), [noSmuggling, either(refused(), [status(200), cleanFraming, closes])], {rfc: '9112 6.1'});
secure('cl-te-smuggle', 'both lengths do not hide a request', post(['Content-Length: 100', 'Transfer-Encoding: chunked'], kEnd + kSmuggled), [noSmuggling, either(refused(), [status(200), cleanFraming, closes])], {rfc: '9112 6.1'});
secure('cl0-te', 'Content-Length: 0 with chunked', post(['Content-Length: 0', 'Transfer-Encoding: chunked'], chunk(kSmuggled) + kEnd), [noSmuggling, either(refused(), [status(200), cleanFraming, closes])], {rfc: '9112 6.1'});
secure('cl-te-closes', 'after both lengths no further request of the connection is served', post(['Content-Length: 5', 'Transfer-Encoding: chunked'], kEnd) + get(), [closes, atMost(1)], {rfc: '9112 6.1'});
secure('cl-bad-te', 'a bad Content-Length beside chunked', post(['Content-Length: x', 'Transfer-Encoding: chunked'], kEnd), either(refused(), [status(200), cleanFraming, closes]), {rfc: '9112 6.3'});
secure('cl-te-unknown', 'Content-Length with an unknown coding is refused', post(['Content-Length: 5', 'Transfer-Encoding: foo'], 'hello'), refused(400, 501), {...kSettle, rfc: '9112 6.1'});

// Transfer-Encoding
must('chunked', 'a chunked body reaches the origin', chunkedPost(chunk('hello') + kEnd), [fine(), cleanFraming, originBody('hello')], {rfc: '9112 7.1'});
for (const [name, value] of [['upper', 'CHUNKED'], ['mixed', 'Chunked']]) {
  must(`te-${name}`, `${value}: the coding is case-insensitive`, post([`Transfer-Encoding: ${value}`], chunk('hello') + kEnd), [fine(), cleanFraming, originBody('hello')], {rfc: '9112 7'});
}
must('te-ows', 'white space around the coding', post(['Transfer-Encoding: \t chunked \t'], chunk('hello') + kEnd), [fine(), cleanFraming, originBody('hello')], {rfc: '9110 5.5'});
must('te-name-case', 'transfer-ENCODING', post(['transfer-ENCODING: chunked'], chunk('hello') + kEnd), [fine(), cleanFraming, originBody('hello')], {rfc: '9110 5.1'});
must('te-empty-elements', 'empty list elements: read or refused', post(['Transfer-Encoding: , chunked,'], chunk('hello') + kEnd), either(refused('4xx', 501), [fine(), cleanFraming, originBody('hello')]), {rfc: '9110 5.6.1', security: true});
for (const [name, headers, codes] of [
  ['unknown', ['Transfer-Encoding: foo'], [501, '4xx']], ['identity', ['Transfer-Encoding: identity'], [501, '4xx']], ['gzip', ['Transfer-Encoding: gzip'], [501, '4xx']], ['not-last', ['Transfer-Encoding: chunked, gzip'], [501, '4xx']], ['not-last-2', ['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip'], [501, '4xx']],
  ['identity-last', ['Transfer-Encoding: chunked, identity'], [501, '4xx']], ['identity-last-2', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], [501, '4xx']], ['empty', ['Transfer-Encoding:'], [501, '4xx']], ['comma', ['Transfer-Encoding: ,'], [501, '4xx']],
  ['twice', ['Transfer-Encoding: chunked, chunked'], [501, '4xx']], ['twice-lines', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], [501, '4xx']], ['xchunked', ['Transfer-Encoding: xchunked'], [501, '4xx']], ['chunkedx', ['Transfer-Encoding: chunkedx'], [501, '4xx']], ['chunked-param', ['Transfer-Encoding: chunked;q=1'], [501, '4xx']],
  ['quoted', ['Transfer-Encoding: "chunked"'], [501, '4xx']], ['apostrophes', ["Transfer-Encoding: 'chunked'"], [501, '4xx']], ['spaced', ['Transfer-Encoding: chun ked'], [501, '4xx']], ['vt', ['Transfer-Encoding: \x0bchunked'], [501, '4xx']], ['ff', ['Transfer-Encoding: chunked\x0c'], [501, '4xx']], ['nul', ['Transfer-Encoding: chunked\0'], [501, '4xx']], ['nbsp', ['Transfer-Encoding: \xa0chunked'], [501, '4xx']],
  ['cow', ['Transfer-Encoding: chunked', 'Transfer-Encoding: cow'], [501, '4xx']], ['cow-first', ['Transfer-Encoding: cow', 'Transfer-Encoding: chunked'], [501, '4xx']], ['cow-list', ['Transfer-Encoding: cow, chunked'], [501, '4xx']], ['semicolon', ['Transfer-Encoding: ;chunked'], [501, '4xx']], ['colon', ['Transfer-Encoding:: chunked'], [501, '4xx']], ['newline-value', ['Transfer-Encoding:\n chunked'], [501, '4xx']], ['space-colon', ['Transfer-Encoding : chunked'], [400]], ['tab-colon', ['Transfer-Encoding\t: chunked'], [400]], ['leading-space', ['X: y', ' Transfer-Encoding: chunked'], [501, '4xx']],
]) {
  secure(`te-${name}`, `${JSON.stringify(headers.join(' | '))} is refused and hides nothing`, post(headers, kEnd + kSmuggled),
         ['newline-value', 'leading-space'].includes(name) ? either(refusedOrClosed(...codes), [cleanFraming, originLacks('x-evil')]) : [noSmuggling, refusedOrClosed(...codes)], {rfc: '9112 6.1', responses: 1, settle: 100});
}
for (const [name, headers] of [['underscore', ['Transfer_Encoding: chunked']], ['prefix', ['X-Transfer-Encoding: chunked']], ['dash', ['Transfer--Encoding: chunked']]]) {
  secure(`te-lookalike-${name}`, `${headers[0]} is not taken for Transfer-Encoding`, post(['Content-Length: 5', ...headers], kEnd), [either(refused(), [fine(), originBody(kEnd)]), noSmuggling], {rfc: '9110 5.1'});
}
should('te-unknown-501', 'an unknown transfer coding gets 501', post(['Transfer-Encoding: foo, chunked'], kEnd), refused(501, '4xx'), {rfc: '9112 6.1'});
secure('te-1.0', 'Transfer-Encoding in HTTP/1.0 is faulty framing: refused, or the connection is closed after it', head('POST {p} HTTP/1.0', kHost, 'Connection: keep-alive', 'Transfer-Encoding: chunked') + kEnd + kSmuggled, [noSmuggling, closes], {rfc: '9112 6.1'});
secure('te-1.0-cl', 'both lengths in HTTP/1.0', head('POST {p} HTTP/1.0', kHost, 'Connection: keep-alive', 'Content-Length: 5', 'Transfer-Encoding: chunked') + kEnd + kSmuggled, [noSmuggling, closes], {rfc: '9112 6.1'});
const inBody = request((ex) => !ex.bodyText.includes('/smuggled') && 'the body did not reach the origin');
secure('te-get', 'a chunked GET hides no request', head('GET {p} HTTP/1.1', kHost, 'Transfer-Encoding: chunked') + chunk('GET /smuggled HTTP/1.1\r\n\r\n') + kEnd, [noSmuggling, either([status(200), cleanFraming, inBody], refused())], {...kSettle, rfc: '9112 6'});
secure('request-in-body', 'a request inside a body is a body', chunkedPost('19\r\n' + 'GET /smuggled HTTP/1.1\r\n\r\n'.slice(0, 25) + '\r\n' + kEnd), [noSmuggling, fine()], kSettle);
secure('request-in-get-body', 'a request inside the body of a GET is no request', head('GET {p} HTTP/1.1', kHost, 'Content-Length: 31') + 'GET /smuggled HTTP/1.1\r\nA: b\r\n\r\n'.slice(0, 31), [noSmuggling, either([status(200), inBody], refused())], kSettle);
must('te-forwarded-once', 'Transfer-Encoding itself does not reach the origin twice', chunkedPost(chunk('a') + kEnd), [fine(), cleanFraming], {rfc: '9112 6.1'});
must('cl-and-trailer', 'a Trailer field beside Content-Length does no harm', post(['Content-Length: 2', 'Trailer: X-A'], 'ab'), [fine(), originBody('ab')], {rfc: '9110 6.6.2'});
