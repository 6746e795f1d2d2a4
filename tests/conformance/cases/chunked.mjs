// Chunked request bodies (RFC 9112 7).
import {atMost, brokenBody, cleanFraming, either, fine, noSmuggling, originBody, originLacks, reaches, refused, request, status, statusOf} from '../lib/expect.mjs';
import {chunkedPost, get, kHost, kSmuggled, head, suite} from './make.mjs';

const {cases, must, should, secure, may} = suite('chunked', '9112 7.1');
export default cases;

const kEnd = '0\r\n\r\n';
const kHello = '5\r\nhello\r\n';
const whole = (body) => [fine(), cleanFraming, originBody(body)];

must('one', 'one chunk', chunkedPost(kHello + kEnd), whole('hello'));
must('several', 'several chunks', chunkedPost('1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n' + kEnd), whole('hello'));
must('empty', 'a chunked body of nothing', chunkedPost(kEnd), whole(''));
must('hex-lower', 'sizes in lower-case hex', chunkedPost('a\r\n0123456789\r\n' + kEnd), whole('0123456789'));
must('hex-upper', 'sizes in upper-case hex', chunkedPost('A\r\n0123456789\r\n' + kEnd), whole('0123456789'));
must('hex-two', 'sizes of two digits', chunkedPost('1a\r\n' + 'x'.repeat(26) + '\r\n' + kEnd), whole('x'.repeat(26)));
must('leading-zeros', 'leading zeros in a size', chunkedPost('0005\r\nhello\r\n' + kEnd), whole('hello'));
must('zeros-last', 'a last chunk of several zeros', chunkedPost(kHello + '000\r\n\r\n'), whole('hello'));
must('data-crlf', 'data with CRLF inside', chunkedPost('7\r\na\r\n0\r\nb\r\n' + kEnd), whole('a\r\n0\r\nb'));
must('binary', 'data of any bytes', chunkedPost('100\r\n' + String.fromCharCode(...Array(256).keys()) + '\r\n' + kEnd), whole(String.fromCharCode(...Array(256).keys())));
must('large-chunk', 'one chunk of 300,000 bytes', chunkedPost('493e0\r\n' + 'x'.repeat(300000) + '\r\n' + kEnd), whole('x'.repeat(300000)), {deadline: 15000});
must('many-chunks', '2000 chunks of one byte', chunkedPost('1\r\nx\r\n'.repeat(2000) + kEnd), whole('x'.repeat(2000)));
must('pieces', 'chunks cut anywhere', ['POST {p} HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n', ...[...(kHello + '3;a=b\r\nabc\r\n' + kEnd)].flatMap((c) => [c, {pause: 1}])], whole('helloabc'));
must('then-next', 'after the last chunk the next request begins', chunkedPost(kHello + kEnd) + get(), [statusOf(0, 200), statusOf(1, 200), reaches(2), originBody('hello')], {responses: 2});

// extensions
for (const [name, ext] of [['name', ';a'], ['value', ';a=b'], ['quoted', ';a="b c"'], ['quoted-pair', ';a="b\\"c"'], ['quoted-crlf-words', ';a="0 5"'], ['two', ';a=b;c=d'], ['long', `;a=${'b'.repeat(1000)}`], ['token', ";!#$%&'*+-.^_`|~=x"]]) {
  must(`extension-${name}`, `the chunk extension ${ext.slice(0, 30)} is ignored`, chunkedPost(`5${ext}\r\nhello\r\n` + kEnd), whole('hello'), {rfc: '9112 7.1.1'});
}
must('extension-last', 'an extension of the last chunk is ignored', chunkedPost(kHello + '0;a=b\r\n\r\n'), whole('hello'), {rfc: '9112 7.1.1'});
should('extension-bws', 'bad white space around an extension is read or refused', chunkedPost('5 ; a = b\r\nhello\r\n' + kEnd), either(whole('hello'), brokenBody), {rfc: '9112 7.1.1'});
should('extension-huge', 'an extension of 100 KB is refused', chunkedPost(`5;a=${'b'.repeat(100000)}\r\nhello\r\n` + kEnd), either(brokenBody, whole('hello')), {rfc: '9112 7.1.1', security: false});
should('extension-endless', 'extensions without an end are refused', chunkedPost('1;a=b\r\nx\r\n'.repeat(2) + `1;a=${'b'.repeat(2000000)}`), brokenBody, {rfc: '9112 7.1.1', deadline: 15000});
secure('extension-lf', 'a bare LF inside an extension does not end the line', chunkedPost('5;a=b\nhello\r\n0\r\n\r\n'), either(brokenBody, whole('hello')), {rfc: '9112 7.1.1'});
secure('extension-lf-smuggle', 'two readings of a bare LF in an extension (TERM.EXT) hide no request', chunkedPost('2;\nxx\r\n4c\r\n0\r\n\r\n' + kSmuggled.padEnd(70, 'x') + '\r\n0\r\n\r\n'), [noSmuggling, brokenBody], {rfc: '9112 7.1.1'});
secure('extension-nul', 'NUL in an extension is refused or dropped', chunkedPost('5;a=\0\r\nhello\r\n' + kEnd), either(brokenBody, whole('hello')), {rfc: '9112 7.1.1'});
secure('extension-cr', 'a bare CR in an extension is refused or dropped', chunkedPost('5;a\rX\r\nhello\r\n' + kEnd), either(brokenBody, whole('hello')), {rfc: '9112 7.1.1'});
must('extension-not-forwarded', 'extensions do not reach the origin changed', chunkedPost('5;a=b\r\nhello\r\n' + kEnd), request((ex) => ex.extensions?.some((e) => e !== ';a=b') && `extensions ${ex.extensions}`), {rfc: '9112 7.1.1'});

// sizes
for (const [name, size] of [
  ['g', 'g'], ['minus', '-5'], ['plus', '+5'], ['0x', '0x5'], ['0X', '0X5'], ['space-inside', '5 5'], ['leading-space', ' 5'], ['leading-tab', '\t5'], ['comma', '5,5'], ['dot', '5.0'], ['words', 'five'], ['underscore', '0_5'], ['quoted', '"5"'],
  ['overflow-64', '10000000000000005'], ['overflow-long', 'f'.repeat(40)], ['max-64', 'ffffffffffffffff'], ['sign-bit', '8000000000000005'], ['overflow-32', '100000005'], ['nul', '5\0'], ['vt', '\x0b5'], ['high', '\xb5'], ['empty', ''], ['h-suffix', '5h'], ['colon', '5:'],
]) {
  secure(`size-${name}`, `the chunk size ${JSON.stringify(size.slice(0, 20))} is refused`, [chunkedPost(`${size}\r\nhello\r\n` + kEnd), ...(name.startsWith('overflow') || name === 'max-64' || name === 'sign-bit' ? [{pause: 30}, {end: true}] : [])], [brokenBody, atMost(1)]);
}
should('size-trailing-space', 'white space after the size is refused or read', chunkedPost('5 \r\nhello\r\n' + kEnd), either(brokenBody, whole('hello')));
should('size-trailing-tab', 'a tab after the size is refused or read', chunkedPost('5\t\r\nhello\r\n' + kEnd), either(brokenBody, whole('hello')));
should('size-many-zeros', 'a size of endless zeros is refused', chunkedPost('0'.repeat(2000000)), brokenBody, {deadline: 15000});

// line ends
secure('bare-lf-size', 'a bare LF after the size is refused or read as it stands', chunkedPost('5\nhello\r\n' + kEnd), either(brokenBody, whole('hello')));
secure('bare-cr-size', 'a bare CR after the size is refused', chunkedPost('5\rhello\r\n' + kEnd), brokenBody);
secure('bare-lf-data', 'a bare LF after the data is refused', chunkedPost('5\r\nhello\n' + kEnd), either(brokenBody, whole('hello')));
secure('bare-cr-data', 'a bare CR after the data is refused', chunkedPost('5\r\nhello\r' + kEnd), brokenBody);
secure('crcrlf', 'CR CR LF is refused', chunkedPost('5\r\r\nhello\r\n' + kEnd), brokenBody);
secure('no-crlf-data', 'data without CRLF after it is refused', chunkedPost('5\r\nhello' + kEnd), brokenBody);
secure('too-long-data', 'more data than the size says is refused', chunkedPost('4\r\nhello\r\n' + kEnd), brokenBody);
secure('too-short-data', 'less data than the size says is refused', chunkedPost('7\r\nhello\r\n' + kEnd), brokenBody);
secure('data-two-bytes', 'any two bytes in place of CRLF are refused', chunkedPost('5\r\nhelloXX' + kEnd), brokenBody);
secure('data-two-bytes-smuggle', 'two bytes in place of CRLF hide no request', chunkedPost('5\r\nhello0;5d\r\n' + kSmuggled + kEnd), [noSmuggling, brokenBody]);
secure('leading-crlf', 'an empty line before the first size is refused', chunkedPost('\r\n' + kHello + kEnd), brokenBody);
secure('end-bare-lf', 'a bare LF at the end is refused or read', [chunkedPost(kHello + '0\r\n\n'), {pause: 30}, {end: true}], either(brokenBody, whole('hello')));
secure('last-chunk-lf', 'a last chunk with bare LF', [chunkedPost(kHello + '0\n\n'), {pause: 30}, {end: true}], either(brokenBody, whole('hello')));
secure('last-chunk-data', 'bytes after the last chunk are no data', chunkedPost(kHello + '0\r\nhello\r\n\r\n'), either(brokenBody, whole('hello')));
secure('missing-last', 'a body without its last chunk is no whole request', [chunkedPost(kHello), {pause: 20}, {end: true}], (r) => r.origin.find((e) => e.bodyDone) && 'the origin got a whole request', {rfc: '9112 8', responses: 0, settle: 200});
secure('missing-final-crlf', 'a body without its final empty line is no whole request', [chunkedPost(kHello + '0\r\n'), {pause: 20}, {end: true}], (r) => r.origin.find((e) => e.bodyDone) && 'the origin got a whole request', {rfc: '9112 8', responses: 0, settle: 200});
secure('truncated-chunk', 'a chunk cut in the middle is no whole request', [chunkedPost('5\r\nhel'), {pause: 20}, {end: true}], (r) => r.origin.find((e) => e.bodyDone) && 'the origin got a whole request', {rfc: '9112 8', responses: 0, settle: 200});
secure('truncated-size', 'a size cut in the middle is no whole request', [chunkedPost(kHello + '1'), {pause: 20}, {end: true}], (r) => r.origin.find((e) => e.bodyDone) && 'the origin got a whole request', {rfc: '9112 8', responses: 0, settle: 200});
secure('truncated-reset', 'a reset in the middle is no whole request', [chunkedPost('5\r\nhel'), {pause: 60}, {reset: true}], (r) => r.origin.find((e) => e.bodyDone) && 'the origin got a whole request', {rfc: '9112 8', responses: 0, settle: 200});
secure('bad-after-good', 'a bad chunk after good ones', [chunkedPost(kHello), {pause: 40}, 'xyz\r\nhello\r\n' + kEnd], brokenBody);
secure('bad-then-request', 'after a bad chunk no request of the connection is served', chunkedPost('zz\r\n' + kEnd) + kSmuggled, [noSmuggling, brokenBody]);

// trailers
const trailer = (...lines) => chunkedPost(kHello + '0\r\n' + lines.map((l) => l + '\r\n').join('') + '\r\n');
must('trailer', 'a trailer field is passed on as one, or dropped', trailer('X-T: v'), [...whole('hello'), request((ex) => ex.head.has('x-t') && 'merged into the head')], {rfc: '9110 6.5.1'});
must('trailer-several', 'several trailer fields', trailer('X-T: v', 'X-U: w'), whole('hello'), {rfc: '9112 7.1.2'});
must('trailer-then-next', 'after trailers the next request begins', trailer('X-T: v') + get(), [statusOf(0, 200), statusOf(1, 200), reaches(2)], {rfc: '9112 7.1.2', responses: 2});
for (const [name, line] of [['content-length', 'Content-Length: 99'], ['transfer-encoding', 'Transfer-Encoding: chunked'], ['host', 'Host: evil.test'], ['authorization', 'Authorization: Basic eA=='], ['cookie', 'Cookie: a=b'], ['x-forwarded-for', 'X-Forwarded-For: 6.6.6.6'], ['connection', 'Connection: close'], ['content-type', 'Content-Type: text/evil'], ['expect', 'Expect: 100-continue']]) {
  const field = line.split(':')[0];
  secure(`trailer-${name}`, `${field} in a trailer does not become part of the head`, trailer(line), either(refused(), [status(200), cleanFraming, originBody('hello'), request((ex) => ex.head.all(field).some((v) => line.endsWith(v) && v !== 'close' && v !== 'chunked') && `${field} was merged into the head`)]), {rfc: '9110 6.5.1'});
}
secure('trailer-framing-dropped', 'Content-Length in a trailer does not reach the origin as a trailer', trailer('Content-Length: 99', 'Transfer-Encoding: chunked'), either(brokenBody, request((ex) => ex.trailers.some(([n]) => /content-length|transfer-encoding/i.test(n)) && 'it did')), {rfc: '9110 6.5.1'});
for (const [name, line] of [['no-colon', 'garbage'], ['space-colon', 'X-T : v'], ['nul', 'X-T: a\0b'], ['bare-cr', 'X-T: a\rb'], ['fold', 'X-T: a\r\n b'], ['empty-name', ': v'], ['bad-name', 'X(T: v']]) {
  should(`trailer-bad-${name}`, `a malformed trailer (${name}) is refused or dropped`, trailer(line), either(brokenBody, [status(200), cleanFraming, originBody('hello'), request((ex) => ex.trailers.length && 'it reached the origin')]), {rfc: '9112 5'});
}
secure('trailer-request', 'a request in the trailers is none', trailer('GET {p}/smuggled HTTP/1.1', 'Host: h.test'), [noSmuggling, atMost(1)], {rfc: '9112 7.1.2', settle: 150});
should('trailer-endless', 'trailers without an end are refused', chunkedPost(kHello + '0\r\n' + 'X-T: v\r\n'.repeat(100000)), brokenBody, {rfc: '9112 7.1.2', deadline: 15000});
must('no-te-when-bodyless', 'a GET without a body goes on without Transfer-Encoding', get(), originLacks('transfer-encoding'), {rfc: '9112 6'});
may('te-1.1-keep', 'a chunked GET', head('GET {p} HTTP/1.1', kHost, 'Transfer-Encoding: chunked') + kHello + kEnd, either(whole('hello'), refused()));
