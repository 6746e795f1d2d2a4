// Databases for the packages' clients: as small as a client's handshake and one query allow, or the real ones of the system.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually, freePort, listens, once } from "../harness.mjs";

const run = promisify(execFile);

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set();
  server.on("connection", (socket) => sockets.add(socket));
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: server.address().port, stop };
}

const message = (type, ...parts) => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const text = (value) => Buffer.from(`${value}\0`);

// Queries, simple and with parameters, each answered with no rows; never one with "never" in it. With more than `room` connections: "too many clients".
export function tinyPostgres({ room = Infinity } = {}) {
  const ready = message("Z", Buffer.from("I"));
  let open = 0;
  const server = createServer((socket) => {
    let isFirst = true;
    open += 1;
    const isFull = open > room;
    socket.on("error", () => {});
    socket.on("close", () => (open -= 1));
    socket.on("data", (bytes) => {
      if (isFirst) {
        isFirst = false;
        if (isFull) {
          const fields = [text("SFATAL"), text("VFATAL"), text("C53300"), text("Msorry, too many clients already"), Buffer.from([0])];
          return socket.end(message("E", ...fields));
        }
        return socket.write(Buffer.concat([message("R", Buffer.alloc(4)), ready]));
      }
      if (bytes[0] === 0x58) return socket.end();
      if (bytes[0] === 0x50 && !bytes.includes("never")) socket.write(Buffer.concat([..."12n"].map((type) => message(type)).concat(message("C", text("SELECT 0")), ready)));
      if (bytes[0] === 0x51 && !bytes.includes("never")) socket.write(Buffer.concat([message("C", text("SELECT 0")), ready]));
    });
  });
  return listening(server);
}

// Each command is answered, those with a key that says "never" are not.
export function tinyRedis() {
  const server = createServer((socket) => {
    socket.on("error", () => {}).on("data", (bytes) => {
      for (const command of bytes.toString().split(/(?=\*\d+\r\n\$)/)) {
        const [, , name = "", , key = ""] = command.split("\r\n");
        if (key.includes("never")) continue;
        if (/^info$/i.test(name)) socket.write("$14\r\nredis_mode:one\r\n");
        else if (/^get$/i.test(name)) socket.write("$3\r\none\r\n");
        else socket.write("+OK\r\n");
      }
    });
  });
  return listening(server);
}

function bson(document) {
  const bytes = (type, name, ...parts) => Buffer.concat([Buffer.from([type]), text(name), ...parts]);
  const fields = Object.entries(document).map(([name, value]) => {
    if (typeof value === "string") return bytes(2, name, number(Buffer.byteLength(value) + 1), text(value));
    if (typeof value === "boolean") return bytes(8, name, Buffer.from([value ? 1 : 0]));
    if (typeof value === "bigint") return bytes(18, name, Buffer.from(BigInt64Array.of(value).buffer));
    if (typeof value === "number") return bytes(16, name, number(value));
    return bytes(Array.isArray(value) ? 4 : 3, name, bson(value));
  });
  const body = Buffer.concat([...fields, Buffer.from([0])]);
  return Buffer.concat([number(body.length + 4), body]);
}

function number(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

// Each command is answered as if it had found one user; never one with "never" in it. A handshake may come as OP_QUERY, all else is OP_MSG.
export function tinyMongo() {
  const user = { _id: 1, name: "a" };
  const hello = { helloOk: true, isWritablePrimary: true, ismaster: true, maxBsonObjectSize: 1 << 24, maxMessageSizeBytes: 48000000, maxWriteBatchSize: 100000, minWireVersion: 0, maxWireVersion: 25, readOnly: false, ok: 1 };
  const found = { cursor: { firstBatch: [user], id: 0n, ns: "shop.users" }, ok: 1 };
  const answer = (request) => {
    const isQuery = request.readInt32LE(12) === 2004;
    if (request.includes("never")) return undefined;
    const document = bson(/hello|ismaster/i.test(request.toString("latin1", 0, 100)) ? hello : found);
    const body = Buffer.concat([...(isQuery ? [Buffer.alloc(16), number(1)] : [Buffer.alloc(5)]), document]);
    return Buffer.concat([number(16 + body.length), number(1), request.subarray(4, 8), number(isQuery ? 1 : 2013), body]);
  };
  const server = createServer((socket) => {
    let waiting = Buffer.alloc(0);
    socket.on("error", () => {}).on("data", (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      while (waiting.length >= 16 && waiting.length >= waiting.readInt32LE(0)) {
        const said = answer(waiting.subarray(0, waiting.readInt32LE(0)));
        waiting = waiting.subarray(waiting.readInt32LE(0));
        if (said) socket.write(said);
      }
    });
  });
  return listening(server);
}

// What monitoring sends its events to: it takes everything.
export function httpSink() {
  return listening(createHttpServer((request, response) => request.resume().on("end", () => response.setHeader("content-type", "application/json").end('{"status":1}'))));
}

// The system's own Postgres in `folder`; undefined if there is none. It refuses to run as root.
export async function realPostgres(folder) {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  if (versions.length === 0) return undefined;
  const bin = join("/usr/lib/postgresql", versions.sort((a, b) => b - a)[0], "bin");
  const data = join(folder, "data");
  mkdirSync(data);
  const as = process.getuid() === 0 ? ["runuser", ["-u", "postgres", "--"]] : undefined;
  if (as) await run("chown", ["-R", "postgres", folder]);
  const command = (program, args) => (as ? [as[0], [...as[1], program, ...args]] : [program, args]);
  await run(...command(join(bin, "initdb"), ["-D", data, "-U", "app", "--auth=trust", "--no-sync"]));
  const port = await freePort();
  const [program, args] = command(join(bin, "postgres"), ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-F"]);
  const child = spawn(program, args, { stdio: "ignore" });
  await eventually("postgres", 20_000, () => listens(port, "127.0.0.1"));
  const stop = async () => {
    await run(...command(join(bin, "pg_ctl"), ["-D", data, "stop", "-m", "immediate"]));
    if (child.exitCode === null) await once(child, "exit");
  };
  return { port, stop };
}

export async function realRedis(folder) {
  const program = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].find(existsSync);
  if (!program) return undefined;
  const port = await freePort();
  const child = spawn(program, ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""], { stdio: "ignore" });
  await eventually("redis", 10_000, () => listens(port, "127.0.0.1"));
  const stop = async () => {
    child.kill();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { port, stop };
}
