let calls = 0;

// What engine.io does when it is attached, and more: nothing of its server is left but itself.
export default function handler(req, res) {
  const { server } = res.socket;
  const isFresh = !server.io;
  if (isFresh) {
    server.io = { polls: 0 };
    const listeners = server.listeners('request').slice(0);
    for (const event of ['request', 'close', 'upgrade', 'listening']) server.removeAllListeners(event);
    server.on('request', (...args) => {
      if (args[0].url.startsWith('/api/iso/greedy?poll')) {
        server.io.polls += 1;
        args[1].writeHead(400, { 'content-type': 'application/json' });
        args[1].end('{"code":1,"message":"Session ID unknown"}');
        return;
      }
      for (const listener of listeners) listener.call(server, ...args);
    });
  }
  calls += 1;
  res.json({ isFresh, calls, polls: server.io.polls });
}
