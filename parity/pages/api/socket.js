// As examples for Socket.IO put a server behind the socket of a request.
export default function handler(request, response) {
  const server = response.socket?.server;
  if (server && !server.parity) {
    server.parity = true;
    server.on("upgrade", (asked, socket) => {
      if (asked.url.endsWith("?upgrade")) socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    });
  }
  response.json({ hasServer: Boolean(server) });
}
