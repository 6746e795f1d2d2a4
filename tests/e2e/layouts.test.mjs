// Where the packages of a project may lie: pnpm's store of links, and an npm workspace with everything hoisted to its root. Under isolation the
// app's own modules, a package of the workspace and an external package are each instance's own in both, and edits of all of them are served.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { cleanUp, editFile, eventually, kApp, kFull, request, startSim, tempFolder } from "./harness.mjs";

const counter = (name) => `let count = 0;\nexports.word = "${name} one";\nexports.count = () => (count += 1);\n`;
const answer = 'const all = () => ({ own: (own += 1), shared: shared.count(), external: external.count(), word: shared.word });\nlet own = 0;\n';

const files = {
  "apps/web/app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
  "apps/web/app/count/route.js": `import shared from "shared";\nimport external from "external";\nexport const dynamic = "force-dynamic";\n${answer}export const GET = () => Response.json(all());\n`,
  "apps/web/app/client.js": '"use client";\nimport { useState } from "react";\nexport default function Client() { const [n] = useState(7); return <b>{"client " + n}</b>; }\n',
  "apps/web/app/page.js": `import shared from "shared";\nimport external from "external";\nimport Client from "./client";\nexport const dynamic = "force-dynamic";\n${answer}export default async function Page() { return <main><p>{JSON.stringify(all())}</p><Client /></main>; }\n`,
  "apps/web/pages/api/count.js": `import shared from "shared";\nimport external from "external";\n${answer}export default function handler(req, res) { res.json(all()); }\n`,
  "apps/web/next.config.mjs": 'export default { serverExternalPackages: ["external"] };\n',
  "packages/shared/package.json": JSON.stringify({ name: "shared", version: "1.0.0", main: "index.js" }),
  "packages/shared/index.js": counter("shared"),
};

const link = async (target, path) => {
  await mkdir(dirname(path), { recursive: true });
  await symlink(relative(dirname(path), target), path);
};
const copyPackage = async (from, to) => {
  await mkdir(dirname(to), { recursive: true });
  await promisify(execFile)("cp", ["-al", from, to]).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await promisify(execFile)("cp", ["-a", from, to]);
  });
};
const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

// Packages below a node_modules, scoped ones too.
function packagesIn(folder) {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) => (name.startsWith("@") ? readdirSync(join(folder, name)).map((one) => `${name}/${one}`) : [name]))
    .filter((name) => existsSync(join(folder, name, "package.json")));
}

async function makeRoot(dev, extra) {
  const root = join(await tempFolder("ly"), "repo");
  const web = { name: "web", private: true, scripts: { dev }, dependencies: { next: "*", react: "*", "react-dom": "*", shared: "*", external: "*" } };
  for (const [path, text] of Object.entries({ ...files, "apps/web/package.json": JSON.stringify(web), ...extra })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const writeExternal = async (folder) => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "external", version: "1.0.0", main: "index.js" }));
  await writeFile(join(folder, "index.js"), counter("external"));
};

// As `pnpm install` leaves it: each package once, beside links to what it asks for; nothing that was not asked for can be seen.
async function pnpmRepo(dev) {
  const root = await makeRoot(dev, {
    "package.json": JSON.stringify({ name: "repo", private: true }),
    "pnpm-workspace.yaml": "packages:\n  - 'apps/*'\n  - 'packages/*'\n",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
  });
  const source = join(kApp, "node_modules");
  const names = packagesIn(source);
  const versions = new Map(names.map((name) => [name, manifest(join(source, name)).version]));
  const store = (name) => join(root, "node_modules/.pnpm", `${name.replace("/", "+")}@${versions.get(name)}`, "node_modules");
  for (const name of names) {
    await copyPackage(join(source, name), join(store(name), name));
    const { dependencies, optionalDependencies, peerDependencies } = manifest(join(source, name));
    for (const asked of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      if (versions.has(asked) && asked !== name) await link(join(store(asked), asked), join(store(name), asked));
    }
  }
  const external = join(root, "node_modules/.pnpm/external@1.0.0/node_modules/external");
  await writeExternal(external);
  const modules = join(root, "apps/web/node_modules");
  for (const name of ["next", "react", "react-dom"]) await link(join(store(name), name), join(modules, name));
  await link(external, join(modules, "external"));
  await link(join(root, "packages/shared"), join(modules, "shared"));
  return root;
}

async function npmRepo(dev) {
  const root = await makeRoot(dev, {
    "package.json": JSON.stringify({ name: "repo", private: true, workspaces: ["apps/*", "packages/*"] }),
    "package-lock.json": JSON.stringify({ name: "repo", lockfileVersion: 3, packages: {} }),
  });
  await copyPackage(join(kApp, "node_modules"), join(root, "node_modules"));
  await writeExternal(join(root, "node_modules/external"));
  await link(join(root, "packages/shared"), join(root, "node_modules/shared"));
  await link(join(root, "apps/web"), join(root, "node_modules/web"));
  return root;
}

describe("Layouts", { timeout: 300_000 }, () => {
  after(cleanUp);

  for (const [what, make, dev, isCovered] of [
    ["pnpm's links", pnpmRepo, "next dev", true],
    ["an npm workspace", npmRepo, "next dev", true],
    ["pnpm's links, webpack", pnpmRepo, "next dev --webpack", false],
    ["an npm workspace, webpack", npmRepo, "next dev --webpack", false],
  ]) {
    test(`Layouts: ${what}: state is each instance's own, and edits are served`, { skip: !isCovered && !kFull && "VSIM_FULL=1 runs it" }, async () => {
      const root = await make(dev);
      const sim = await startSim(["--profile", "hobby"], { cwd: join(root, "apps/web") });
      const first = { own: 1, shared: 1, external: 1, word: "shared one" };
      for (const path of ["/count", "/api/count"]) {
        for (let i = 0; i < 3; i += 1) {
          const { status, text } = await request(sim.url + path);
          assert.equal(status, 200, text.slice(0, 500));
          assert.deepEqual(JSON.parse(text), first, path);
        }
      }
      for (let i = 0; i < 2; i += 1) {
        const { status, text } = await request(`${sim.url}/`);
        assert.equal(status, 200, text.slice(0, 500));
        assert.ok(text.includes(JSON.stringify(first).replaceAll('"', "&quot;")), text.slice(0, 500));
        assert.match(text, /client 7/);
      }
      const ends = await eventually("their ends", 5_000, () => {
        const found = sim.events().filter(({ t, traffic }) => t === "invocation_ended" && traffic === "invocation");
        return found.length === 8 && found;
      });
      assert.equal(new Set(ends.map(({ instance }) => instance)).size, 8);

      await editFile(join(root, "packages/shared/index.js"), "shared one", "shared two");
      for (const path of ["/count", "/api/count", "/"]) {
        await eventually(`the edited package in ${path}`, 20_000, async () => (await request(sim.url + path)).text.includes("shared two"));
      }
      assert.deepEqual((await sim.stop()).left, []);
    });
  }
});
