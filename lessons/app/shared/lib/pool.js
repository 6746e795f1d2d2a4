import net from 'node:net';

// A pool of connections to a database that speaks Redis' protocol. It opens all of them at its first query and keeps them, as pools do.
export function createPool({ url, size }) {
  let opening;
  let next = 0;
  const open = () => Promise.all(Array.from({ length: size }, () => connect(new URL(url))));
  return {
    async increment(key) {
      const connections = await (opening ??= open());
      return connections[next++ % size](['INCR', key]);
    },
  };
}

async function connect({ hostname, port }) {
  const socket = net.connect({ host: hostname, port: Number(port) });
  const waiting = [];
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    for (let end; (end = text.indexOf('\r\n')) >= 0; text = text.slice(end + 2)) {
      const reply = text.slice(0, end);
      const { resolve, reject } = waiting.shift() ?? {};
      if (reply[0] === '-') reject?.(new Error(reply.slice(1)));
      else resolve?.(reply[0] === ':' ? Number(reply.slice(1)) : reply.slice(1));
    }
  });
  const gone = (error) => waiting.splice(0).forEach(({ reject }) => reject(error ?? new Error('the connection was closed')));
  socket.on('error', gone);
  socket.on('close', () => gone());
  const send = (words) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
    });
  await send(['PING']);
  return send;
}
