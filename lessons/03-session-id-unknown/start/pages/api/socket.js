import { Server } from 'socket.io';

export const config = { api: { bodyParser: false, externalResolver: true } };

export default function handler(req, res) {
  const { server } = res.socket;
  server.io ??= new Server(server, { path: '/api/socket', serveClient: false });
  server.io.engine.handleRequest(req, res);
}
