// A server of the user's own, beside Next's: its port is none of the agent's business.
import http from 'node:http';

const server = http.createServer((req, res) => res.end('mine'));
export const listening = new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
