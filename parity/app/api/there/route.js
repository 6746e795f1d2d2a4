import { existsSync, readFileSync, readdirSync } from "node:fs";
import { arch, homedir } from "node:os";
import { join } from "node:path";
export const dynamic = "force-dynamic";

// What is asked is outside the project, and no tracing needs to look for it.
const read = (file) => readFileSync(/* turbopackIgnore: true */ file, "utf8");
const list = (folder) => readdirSync(/* turbopackIgnore: true */ folder, { recursive: true });
const isThere = (file) => existsSync(/* turbopackIgnore: true */ file);

// As fontconfig looks for them.
function fonts() {
  const { FONTCONFIG_FILE, FONTCONFIG_PATH } = process.env;
  const config = FONTCONFIG_FILE ?? join(FONTCONFIG_PATH ?? "/etc/fonts", "fonts.conf");
  const folders = isThere(config) ? [...read(config).matchAll(/<dir[^>]*>([^<]+)<\/dir>/g)].map(([, name]) => name.trim().replace(/^~/, homedir())) : [];
  return { fonts: folders.filter(isThere).some((folder) => list(folder).some((name) => /\.(ttf|ttc|otf|pfb|woff2?)$/i.test(name))) ? "there" : "none" };
}

// What browsers, canvas and image libraries are linked with; the last is there everywhere.
function libraries() {
  const folders = ["/lib64", "/usr/lib64", ...["/lib", "/usr/lib"].map((name) => `${name}/${arch() === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`)];
  const of = (name) => [name, folders.some((folder) => isThere(join(folder, name))) ? "there" : "none"];
  return Object.fromEntries(["libnss3.so", "libatk-1.0.so.0", "libgbm.so.1", "libX11.so.6", "libcairo.so.2", "libGL.so.1", "libfontconfig.so.1", "libc.so.6"].map(of));
}

export function GET(request) {
  return Response.json(new URL(request.url).searchParams.get("what") === "fonts" ? fonts() : libraries());
}
