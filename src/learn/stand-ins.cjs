'use strict';
// What a deployment has outside of its functions, small and on this machine, so that the mended app runs without a network: a store with lists and
// channels, a storage that takes uploads by signed address, a mailbox, and a database that allows few connections. One process of ours; the app finds them by
// STORE_URL and DATABASE_URL.

const http = require('node:http');
const net = require('node:net');
const { randomUUID } = require('node:crypto');

const kConnections = 10;

function listening(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

function makeStore() {
  const state = { values: new Map(), lists: new Map(), channels: new Map(), uploads: new Map(), signed: new Set(), mails: [] };
  const bodyOf = async (req) => {
    const parts = [];
    for await (const part of req) parts.push(part);
    return Buffer.concat(parts);
  };
  const jsonOf = async (req) => JSON.parse((await bodyOf(req)).toString());
  const json = (res, status, value) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const routes = {
    'GET values': (name, _, res) => (state.values.has(name) ? json(res, 200, state.values.get(name)) : json(res, 404, null)),
    'PUT values': async (name, req, res) => {
      state.values.set(name, await jsonOf(req));
      json(res, 200, true);
    },
    'POST counters': (name, _, res) => {
      const value = (state.values.get(name) ?? 0) + 1;
      state.values.set(name, value);
      json(res, 200, value);
    },
    'GET lists': (name, _, res) => json(res, 200, state.lists.get(name) ?? []),
    'POST lists': async (name, req, res) => {
      const list = state.lists.get(name) ?? [];
      list.push(await jsonOf(req));
      state.lists.set(name, list);
      json(res, 200, list.length);
    },
    'POST channels': async (name, req, res) => {
      const text = JSON.stringify(await jsonOf(req));
      const listeners = state.channels.get(name) ?? new Set();
      for (const listener of listeners) listener.write(`${text}\n`);
      json(res, 200, listeners.size);
    },
    'GET channels': (name, req, res) => {
      const listeners = state.channels.get(name) ?? new Set();
      state.channels.set(name, listeners.add(res));
      res.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
      res.on('close', () => listeners.delete(res));
    },
    'POST mails': async (_, req, res) => json(res, 200, state.mails.push(await jsonOf(req))),
    'POST sign': (_, req, res) => {
      const id = randomUUID();
      state.signed.add(id);
      json(res, 200, { id, url: `http://${req.headers.host}/uploads/${id}` });
    },
    // Only an address that was signed, and once.
    'PUT uploads': async (id, req, res) => {
      if (!state.signed.delete(id)) return json(res, 403, { error: 'this address was not signed, or is used' });
      state.uploads.set(id, await bodyOf(req));
      json(res, 200, { id, size: state.uploads.get(id).length });
    },
    'GET uploads': (id, _, res) => (state.uploads.has(id) ? json(res, 200, { id, size: state.uploads.get(id).length }) : json(res, 404, null)),
  };
  const server = http.createServer(async (req, res) => {
    const [, kind = '', name = ''] = new URL(req.url, 'http://x').pathname.split('/');
    try {
      const route = routes[`${req.method} ${kind}`];
      if (route) await route(decodeURIComponent(name), req, res);
      else json(res, 404, { error: `the store has no ${req.method} /${kind}` });
    } catch (error) {
      if (!res.headersSent) json(res, 400, { error: error.message });
    }
  });
  return { server, state };
}

// Speaks as much of Redis' protocol as PING, INCR and SET need, and refuses the connection after the last as Redis does.
function makeDatabase() {
  const state = { open: 0, most: 0, refused: 0, values: new Map() };
  const sockets = new Set();
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    if (state.open >= kConnections) {
      state.refused += 1;
      socket.end('-ERR max number of clients reached\r\n');
      return;
    }
    state.open += 1;
    state.most = Math.max(state.most, state.open);
    sockets.add(socket);
    socket.on('close', () => {
      state.open -= 1;
      sockets.delete(socket);
    });
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let m; (m = /^\*(\d+)\r\n((?:\$\d+\r\n.*\r\n)*)/.exec(text)); ) {
        const parts = [...m[2].matchAll(/\$\d+\r\n(.*)\r\n/g)].map(([, part]) => part);
        if (parts.length < Number(m[1])) return;
        text = text.slice(m[0].length);
        const [verb, key] = parts;
        if (verb === 'INCR') {
          const value = (state.values.get(key) ?? 0) + 1;
          state.values.set(key, value);
          socket.write(`:${value}\r\n`);
        } else {
          socket.write(verb === 'PING' ? '+PONG\r\n' : '-ERR unknown command\r\n');
        }
      }
    });
  });
  return { server, state, end: () => sockets.forEach((socket) => socket.destroy()) };
}

async function startStandIns() {
  const store = makeStore();
  const database = makeDatabase();
  const [storePort, databasePort] = await Promise.all([listening(store.server), listening(database.server)]);
  return {
    env: { STORE_URL: `http://127.0.0.1:${storePort}`, DATABASE_URL: `redis://127.0.0.1:${databasePort}` },
    store: store.state,
    database: database.state,
    connectionsAllowed: kConnections,
    stop: () => {
      store.server.closeAllConnections();
      store.server.close();
      database.end();
      database.server.close();
    },
  };
}

module.exports = { startStandIns };
