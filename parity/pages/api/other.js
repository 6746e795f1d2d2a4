import { readFileSync } from "node:fs";
export default function handler(request, response) {
  let written = null;
  try {
    written = readFileSync("/tmp/vercel-sim-parity", "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  response.json({ of: globalThis.parity ?? null, written });
}
