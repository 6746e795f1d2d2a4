import { randomUUID } from "node:crypto";
import { connect } from "node:net";

// As the client of a database keeps its connections: in memory of its module, two at most. They go to this deployment, which is always there.
const pool = randomUUID();
const open = new Set();

function one() {
  const { hostname, port } = new URL(`https://${process.env.VERCEL_URL}`);
  return new Promise((done, failed) => {
    const socket = connect({ host: hostname, port: port || 443 }, () => void (open.add(socket), done()));
    socket.on("close", () => open.delete(socket)).on("error", failed);
    socket.unref();
  });
}

export async function opened() {
  if (!process.env.VERCEL_URL) return { failed: "no VERCEL_URL" };
  try {
    while (open.size < 2) await one();
    return { pool, connections: open.size };
  } catch (error) {
    return { failed: error.code };
  }
}
