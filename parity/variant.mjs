// `PARITY_VARIANT=NAME npm run build`: lays over this app what a build or the platform refuses. Without a name what is there of it goes away.
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";

const kRoute = "app/api/variant/route.js";
const kMade = [kRoute, "app/variant/page.js", "lib/Variant.js", "notes/large.bin"];

function put(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const variants = {
  // `next dev` renders it.
  "build-fails"() {
    put("app/variant/page.js", '"use client";\nimport { useSearchParams } from "next/navigation";\nexport default function Page() {\n  return <p>{useSearchParams().get("a")}</p>;\n}\n');
  },
  // Found where names have no case.
  case() {
    put("lib/Variant.js", "export const value = 1;\n");
    put(kRoute, 'import { value } from "../../../lib/variant";\nexport const GET = () => Response.json({ value });\n');
  },
  // Of a function 250 MB, unzipped.
  bundle() {
    put("notes/large.bin", "");
    truncateSync("notes/large.bin", 260e6);
    put(kRoute, 'import { statSync } from "node:fs";\nimport { join } from "node:path";\nexport const dynamic = "force-dynamic";\nexport const GET = () => Response.json({ size: statSync(join(process.cwd(), "notes/large.bin")).size });\n');
  },
  // Of an edge function 1, 2 or 4 MB, after gzip.
  "edge-bundle"() {
    put(kRoute, `export const runtime = "edge";\nconst text = "${randomBytes(4.6e6).toString("base64")}";\nexport const GET = (request) => new Response(text[new URL(request.url).search.length]);\n`);
  },
};

for (const file of kMade) rmSync(file, { force: true });
const name = process.env.PARITY_VARIANT;
if (name && !Object.hasOwn(variants, name)) {
  console.error(`PARITY_VARIANT names none: ${Object.keys(variants).join(", ")}`);
  process.exit(1);
}
if (name) variants[name]();
