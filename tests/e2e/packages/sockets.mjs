// A client of a WebSocket that says one word: what it hears, or that it is refused.
import { io } from "socket.io-client";
import WebSocket from "ws";
import { within } from "../harness.mjs";

const kSoonMs = 60_000;

function throughSocketIo(url, path) {
  const socket = io(url, { path, addTrailingSlash: false, reconnection: false, forceNew: true });
  const heard = new Promise((done) => {
    socket.once("connect_error", () => done("refused"));
    socket.once("connect", () => socket.emit("say", "word"));
    socket.once("said", done);
  });
  return within(kSoonMs, `Socket.IO at ${path}`, heard).finally(() => socket.close());
}

function throughWebSocket(url, path) {
  const socket = new WebSocket(url.replace("http", "ws") + path);
  const heard = new Promise((done) => {
    socket.once("error", () => done("refused"));
    socket.once("close", () => done("refused"));
    socket.once("open", () => socket.send("word"));
    socket.once("message", (text) => done(String(text)));
  });
  return within(kSoonMs, `WebSocket at ${path}`, heard).finally(() => socket.terminate());
}

export const talk = (url, { path, by }) => (by === "ws" ? throughWebSocket(url, path) : throughSocketIo(url, path));
