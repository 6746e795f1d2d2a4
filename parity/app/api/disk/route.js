import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
export const dynamic = "force-dynamic";

function tried(does, undo = () => {}) {
  try {
    does();
    undo();
    return "done";
  } catch (error) {
    // Where it is not as on the platform, the path is a developer's own.
    return error.message.includes("/var/task") ? error.message : `${error.code}`;
  }
}

export function GET() {
  const cwd = process.cwd();
  const file = join(cwd, "parity-written.txt");
  const folder = join(cwd, "parity-folder");
  return Response.json({
    write: tried(() => writeFileSync(file, "x"), () => rmSync(file)),
    append: tried(() => appendFileSync(join(cwd, "notes/traced.txt"), "")),
    mkdir: tried(() => mkdirSync(folder), () => rmSync(folder, { recursive: true })),
    tmp: tried(() => writeFileSync("/tmp/vercel-sim-parity-disk", "x"), () => rmSync("/tmp/vercel-sim-parity-disk")),
    traced: tried(() => readFileSync(join(cwd, "notes/traced.txt"))),
    // Encoded, and the folder not named, so that no tracing finds it, nor takes the whole project for fear of it.
    notTraced: tried(() => readFileSync(/* turbopackIgnore: true */ Buffer.from("bm90ZXMvb3RoZXIudHh0", "base64").toString())),
  });
}
