// Rows of table.mjs whose packages serve WebSockets: plain `next dev` has such a server and the platform has none. What the app answers besides is
// the same everywhere; of its `sockets` ({path, by}) each client gets an echo in plain `next dev`, and is refused here with one of the codes `told`.
import { route } from "./route.mjs";

export const kSocketRows = [
  {
    name: "socket.io as a server",
    packages: ["socket.io@4"],
    files: {
      "pages/api/io.js": `
import { Server } from "socket.io";
export default function handler(req, res) {
  const { server } = res.socket;
  if (!server.io) {
    server.io = new Server(server, { path: "/api/live", addTrailingSlash: false });
    server.io.on("connection", (socket) => socket.on("say", (text) => socket.emit("said", text)));
  }
  res.status(200).json({ isThere: true });
}
`,
    },
    requests: ["/api/io"],
    sockets: [{ path: "/api/live", by: "socket.io", told: /^SIM_(NO_SOCKET_SERVER|WEBSOCKET_REFUSED)$/ }],
  },
  {
    name: "ws as a server",
    packages: ["ws@8"],
    isQuick: true,
    files: {
      "pages/api/attach.js": `
import { WebSocketServer } from "ws";
export default function handler(req, res) {
  const { server } = res.socket;
  if (!server.wss) {
    server.wss = new WebSocketServer({ server, path: "/live" });
    server.wss.on("connection", (socket) => socket.on("message", (text) => socket.send(String(text))));
  }
  res.status(200).json({ isThere: true });
}
`,
    },
    requests: ["/api/attach"],
    sockets: [{ path: "/live", by: "ws", told: /^SIM_(NO_SOCKET_SERVER|WEBSOCKET_REFUSED)$/ }],
  },
  {
    name: "next-ws",
    packages: ["next@16.3.5", "next-ws@2", "ws@8"],
    prepare: [["next-ws", "patch", "--yes"]],
    files: {
      "app/api/echo/route.js": `${route("", "return Response.json({ isThere: true });")}
export function UPGRADE(client) {
  client.on("message", (text) => client.send(String(text)));
}
`,
    },
    requests: ["/api/echo", "/api/echo"],
    sockets: [{ path: "/api/echo", by: "ws", told: /^SIM_(NO_SOCKET_SERVER|WEBSOCKET_REFUSED)$/ }],
    onlyWithoutCacheComponents: true,
  },
];
