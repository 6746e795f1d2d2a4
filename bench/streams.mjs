// Origin of idle event streams: the head and one event, then silence; /stream?tick=MS sends the time at which each event was written.
import http from 'node:http';
const server = http.createServer((request, response) => {
  const tick = Number(new URL(request.url, 'http://x').searchParams.get('tick') ?? 0);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = () => response.write(`data: ${performance.timeOrigin + performance.now()}\n\n`);
  send();
  const timer = tick ? setInterval(send, tick) : undefined;
  response.on('close', () => clearInterval(timer));
});
server.keepAliveTimeout = 3600e3;
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
