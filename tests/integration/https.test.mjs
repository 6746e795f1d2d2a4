// --https: TLS with a certificate made at the start, told to the app, and with the header that Vercel's own pages have over TLS.
import assert from 'node:assert/strict';
import https from 'node:https';
import {describe, test} from 'node:test';
import tls from 'node:tls';
import {get, kServer, listens, run, tempDir, write} from './program.mjs';

const kInsecure = {client: https, rejectUnauthorized: false, servername: 'localhost'};
const kApp = ['--app', 'exec node server.cjs'];
const project = (t) => ({cwd: write(tempDir(t), {'server.cjs': kServer})});

const certificateOf = (port, host) => new Promise((resolve, reject) => {
  const socket = tls.connect({port, host, servername: 'localhost', rejectUnauthorized: false}, () => {
    resolve(socket.getPeerX509Certificate());
    socket.destroy();
  });
  socket.on('error', reject);
});

describe('--https', {concurrency: 4}, () => {
  test('the app is reached, learns of https, and gets no header of the platform into its answer', async (t) => {
    const sim = await run(t, ['--https', ...kApp], project(t));
    assert.equal(sim.scheme, 'https');
    for (const host of ['127.0.0.1', '::1']) {
      const response = await get(sim.port, '/some?where', {...kInsecure, host});
      assert.equal(response.status, 200, `${host} ${response.error}`);
      const {headers, url} = JSON.parse(response.text);
      assert.equal(url, '/some?where');
      assert.equal(headers['x-forwarded-proto'], 'https');
      assert.equal(headers['x-forwarded-for'], host);
      assert.equal(response.headers['strict-transport-security'], undefined);
    }
    assert.deepEqual(JSON.parse((await get(sim.port, '/_vercel-sim/health', kInsecure)).text), {status: 'ready'});
    assert.equal((await sim.stop()).code, 0);
    assert.equal(await listens(sim.port), false);
  });

  test('error pages have Strict-Transport-Security over TLS for a name of its own, never for localhost, where it would reach every project', async (t) => {
    const [secure, plain] = await Promise.all([run(t, ['--https', '--allowed-hosts', 'app.test', ...kApp], project(t)), run(t, kApp, project(t))]);
    const target = '/' + 'a'.repeat(15000);
    const over = await get(secure.port, target, kInsecure);
    assert.deepEqual([over.status, over.headers['x-vercel-error'], over.headers['strict-transport-security']], [414, 'URL_TOO_LONG', undefined]);
    const named = await get(secure.port, target, {...kInsecure, headers: {host: 'app.test'}});
    assert.deepEqual([named.status, named.headers['strict-transport-security']], [414, 'max-age=63072000']);
    const without = await get(plain.port, target);
    assert.deepEqual([without.status, without.headers['x-vercel-error'], without.headers['strict-transport-security']], [414, 'URL_TOO_LONG', undefined]);
    assert.equal(JSON.parse((await get(plain.port)).text).headers['x-forwarded-proto'], 'http');
  });

  test('the certificate is for localhost, and holds when it is trusted', async (t) => {
    const sim = await run(t, ['--https', '--host', '127.0.0.2', ...kApp], project(t));
    const certificate = await certificateOf(sim.port, '127.0.0.2');
    assert.ok(certificate.checkHost('localhost'), certificate.subjectAltName);
    assert.ok(certificate.checkIP('127.0.0.2'), certificate.subjectAltName);
    assert.ok(new Date(certificate.validFrom) <= new Date() && new Date() < new Date(certificate.validTo));
    const trusted = await get(sim.port, '/', {client: https, host: '127.0.0.2', servername: 'localhost', ca: certificate.toString()});
    assert.equal(trusted.status, 200, String(trusted.error));
  });

  test('each run has a number of its own for its key: Firefox knows no way past two keys with one number', async (t) => {
    const sims = await Promise.all([run(t, ['--https', ...kApp], project(t)), run(t, ['--https', ...kApp], project(t))]);
    const [one, other] = await Promise.all(sims.map(({port}) => certificateOf(port, '127.0.0.1')));
    assert.equal(one.issuer, other.issuer);
    assert.notEqual(one.serialNumber, other.serialNumber);
    assert.ok(one.serialNumber.length > 8 && other.serialNumber.length > 8, `${one.serialNumber} ${other.serialNumber}`);
  });

  test('who speaks plain HTTP to it, or leaves in the handshake, does not disturb the others', async (t) => {
    const sim = await run(t, ['--https', ...kApp], project(t));
    const plain = await get(sim.port, '/');
    assert.notEqual(plain.status, 200);
    await listens(sim.port);  // connects, says nothing, leaves
    assert.equal((await get(sim.port, '/', {client: https, servername: 'localhost'})).error?.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal((await get(sim.port, '/', kInsecure)).status, 200);
  });

  test('a duration is cut over TLS as over TCP', async (t) => {
    const cwd = write(tempDir(t), {'server.cjs': kServer.replace("if (path === '/exit')", "if (path === '/hang') return;\n  if (path === '/exit')")});
    const sim = await run(t, ['--https', '--set', 'duration.default=1s', ...kApp], {cwd});
    const cut = await get(sim.port, '/hang', kInsecure);
    assert.deepEqual([cut.status, cut.headers['x-vercel-error'], cut.headers['strict-transport-security']], [504, 'FUNCTION_INVOCATION_TIMEOUT', undefined], sim.text);
  });
});
