// An app in a folder of its own, with packages from npm and `files`; `ports` of services are PORT_OF_NAME in its .env.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { tempFolder } from "../harness.mjs";

const run = promisify(execFile);
const kNext = { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" };
const kLayout = `export default function Layout({ children }) {\n  return <html lang="en"><body>{children}</body></html>;\n}\n`;

export async function makeApp(rows, isCached, ports) {
  const folder = join(await tempFolder("pkg"), "app");
  const env = rows.map((row) => row.env ?? "").join("") + [...ports].map(([name, port]) => `PORT_OF_${name.toUpperCase()}=${port}\n`).join("");
  const config = rows.find((row) => row.config)?.config ?? `export default { cacheComponents: ${isCached} };\n`;
  const files = Object.assign(
    { "package.json": JSON.stringify({ private: true, dependencies: kNext }), "next.config.mjs": config, ".env": env, "app/layout.js": kLayout },
    ...rows.map((row) => row.files),
  );
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const packages = rows.flatMap((row) => row.packages);
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", ...packages], { cwd: folder, maxBuffer: 16e6 });
  for (const args of rows.flatMap((row) => row.prepare ?? [])) await run("npx", ["--no", ...args], { cwd: folder });
  return folder;
}
