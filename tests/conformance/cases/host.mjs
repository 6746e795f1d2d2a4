// Host (RFC 9112 3.2; RFC 9110 7.2).
import {either, fine, originHas, refused, refusedOrClosed, request, status} from '../lib/expect.mjs';
import {head, suite} from './make.mjs';

const {cases, must, should, secure, may} = suite('host', '9112 3.2');
export default cases;

const line = 'GET {p} HTTP/1.1';
must('missing', 'HTTP/1.1 without Host gets 400', head(line), refused());
must('missing-with-others', 'HTTP/1.1 without Host gets 400, whatever else is there', head(line, 'X-Host: h.test', 'Accept: */*'), refused());
must('missing-post', 'a POST without Host gets 400', head('POST {p} HTTP/1.1', 'Content-Length: 2') + 'ab', refused());
secure('two', 'two Host fields get 400', head(line, 'Host: one.test', 'Host: two.test'), refused());
secure('two-equal', 'two equal Host fields get 400', head(line, 'Host: h.test', 'Host: h.test'), refused());
secure('two-case', 'two Host fields in different case get 400', head(line, 'Host: h.test', 'HOST: evil.test'), refused());
secure('two-apart', 'two Host fields with others between get 400', head(line, 'Host: h.test', 'X-A: b', 'host: evil.test'), refused());
must('two-one-empty', 'an empty and a full Host get 400', head(line, 'Host:', 'Host: h.test'), refused());
must('two-1.0', 'two Host fields get 400 in HTTP/1.0 too', head('GET {p} HTTP/1.0', 'Host: a.test', 'Host: b.test'), refused());
must('absolute-two', 'two Host fields get 400 with absolute-form too', head('GET http://h.test{p} HTTP/1.1', 'Host: h.test', 'Host: h.test'), refused());
for (const [name, value] of [
  ['space', 'h.test evil.test'], ['slash', 'h.test/x'], ['comma', 'a.test,b.test'], ['comma-space', 'a.test, b.test'], ['at', 'user@h.test'], ['userinfo', 'user:pw@h.test'], ['query', 'h.test?x'], ['fragment', 'h.test#x'],
  ['backslash', 'h.test\\x'], ['scheme', 'http://h.test'], ['lt', '<script>'], ['quote', '"h.test"'], ['brace', '{h}'], ['pipe', 'a|b'], ['caret', 'a^b'], ['backtick', 'a`b'],
  ['port-letters', 'h.test:8x'], ['port-negative', 'h.test:-1'], ['port-plus', 'h.test:+80'], ['port-space', 'h.test: 80'], ['two-ports', 'h.test:80:80'], ['ipv6-open', '[::1'], ['ipv6-close', '::1]'], ['ipv6-empty', '[]'], ['ipv6-after', '[::1]x'], ['ipv6-bare', '::1'],
  ['percent-bad', 'h%zz.test'], ['tab', 'h\ttest'],
]) {
  must(`invalid-${name}`, `Host: ${JSON.stringify(value)} gets 400`, head(line, `Host: ${value}`), refused());
}
for (const [name, value] of [['nul', 'h\0.test'], ['ctl', 'h\x01.test'], ['del', 'h\x7f.test'], ['cr', 'h\r.test']]) {
  secure(`invalid-${name}`, `Host with ${name} gets 400`, head(line, `Host: ${value}`), refusedOrClosed(400));
}
should('invalid-high', 'Host with bytes above 7F gets 400', head(line, 'Host: h\xe4.test'), refused());
should('port-too-large', 'a port above 65535 gets 400', head(line, 'Host: h.test:99999'), refused());
may('empty', 'an empty Host is refused or passed on', head(line, 'Host:'), either(refused(), status(200)));
for (const [name, value] of [['name', 'h.test'], ['port', 'h.test:8080'], ['empty-port', 'h.test:'], ['upper', 'H.TEST'], ['ipv4', '127.0.0.1:80'], ['ipv6', '[::1]'], ['ipv6-port', '[::1]:8080'], ['underscore', 'a_b.test'], ['dash', 'a-b.test'], ['dot', 'h.test.'], ['percent', 'h%41.test'], ['sub-delims', "a!$&'()*+;=.test"], ['one', 'x'], ['numbers', '123'], ['long', 'a'.repeat(60) + '.test']]) {
  const strict = !['percent', 'sub-delims', 'dot', 'empty-port'].includes(name);
  (strict ? must : should)(`valid-${name}`, `Host: ${value} is accepted`, head(line, `Host: ${value}`), [fine(), request((ex) => ex.head.all('host').length !== 1 && 'not exactly one Host at the origin')]);
}
must('forwarded', 'the origin gets the Host of the client', head(line, 'Host: some.test:3000'), [fine(), either(originHas('Host', 'some.test:3000'), originHas('X-Forwarded-Host', 'some.test:3000'))], {rfc: '9110 7.2'});
must('name-case', 'the name Host is case-insensitive', head(line, 'hOsT: h.test'), fine(), {rfc: '9110 5.1'});
must('ows', 'white space around the value is no part of it', head(line, 'Host: \t h.test \t '), [fine(), either(originHas('Host', 'h.test'))], {rfc: '9110 5.5'});
must('no-ows', 'no white space after the colon is needed', head(line, 'Host:h.test'), fine(), {rfc: '9112 5'});
must('1.0-without', 'HTTP/1.0 needs no Host', head('GET {p} HTTP/1.0'), status(200));
must('1.0-without-1.1', 'what goes on as HTTP/1.1 has exactly one Host', head('GET {p} HTTP/1.0'), request((ex) => ex.version === 'HTTP/1.1' && ex.head.all('host').length !== 1 && `Host fields at the origin: ${JSON.stringify(ex.head.all('host'))}`));
secure('space-before-colon', 'Host with a space before the colon gets 400', head(line, 'Host : h.test'), refused(), {rfc: '9112 5.1'});
secure('folded', 'a folded Host is refused', head(line, 'Host:', ' h.test'), either(refused(), [status(200), originHas('Host', 'h.test')]), {rfc: '9112 5.2'});
secure('x-forwarded-host-no-trust', 'X-Forwarded-Host does not stand in for Host', head(line, 'X-Forwarded-Host: h.test'), refused());
must('not-from-connection', 'Connection: Host does not take the Host away', head(line, 'Host: h.test', 'Connection: Host'), either(refused(), [status(200), request((ex) => ex.head.all('host').length !== 1 && 'no Host at the origin')]), {rfc: '9110 7.6.1', security: true});
