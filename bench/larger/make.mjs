// Writes an app of some size: --modules modules of TypeScript (420) that depend on each other, four fifths of them what an API call and a page ask for, the others components over a UI
// library (MUI); middleware (proxy.ts) in front of every page and call; a page made at build (/), one for each request (/time), an API call (/api/counter, {"count":n} from module state).
//   (cd bench/larger && npm ci) && node bench/larger/make.mjs --to DIR [--modules 420]
// DIR gets the packages of this folder as hard links. The same words give the same app. bench/isolation.mjs and bench/start.mjs make it themselves (--larger).
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const kWords = ['invoice', 'order', 'customer', 'ledger', 'parcel', 'stock', 'price', 'route', 'ticket', 'booking', 'refund', 'coupon', 'address', 'carrier', 'report', 'budget'];
const number = (n) => String(n).padStart(3, '0');
const capital = (word) => word[0].toUpperCase() + word.slice(1);

// A module of the domain: a table, a type, a class with what it keeps, functions that ask those below.
function domain(n) {
  const word = kWords[n % kWords.length];
  const Name = `${capital(word)}${number(n)}`;
  const below = [n >> 1, (n * 7) % n, n - 1].filter((one, i, all) => n > 0 && one < n && all.indexOf(one) === i).slice(0, 3);
  const rows = Array.from({ length: 24 }, (_, i) => `  ${word}${i}: { weight: ${(n * 31 + i * 17) % 97}, label: "${word} no. ${i} of ${n}", tags: ["${kWords[(n + i) % 16]}", "${kWords[(n * 3 + i) % 16]}"] },`);
  return `${below.map((one) => `import { total${number(one)} } from "./m${number(one)}";`).join('\n')}

export interface ${Name} {
  id: string;
  weight: number;
  lines: { name: keyof typeof rates; amount: number }[];
}

const rates = {
${rows.join('\n')}
} as const;

export class ${Name}Store {
  private readonly kept = new Map<string, ${Name}>();
  private readonly seen: string[] = [];

  put(one: ${Name}): this {
    if (!/^[a-z0-9-]{1,40}$/.test(one.id)) throw new RangeError(\`\${one.id} is no id of a ${word}\`);
    this.kept.set(one.id, one);
    this.seen.push(one.id);
    return this;
  }
  find(id: string): ${Name} | undefined {
    return this.kept.get(id);
  }
  *heavierThan(weight: number): Generator<${Name}> {
    for (const one of this.kept.values()) if (one.weight > weight) yield one;
  }
  sum(): number {
    let all = 0;
    for (const { lines } of this.kept.values()) for (const { name, amount } of lines) all += rates[name].weight * amount;
    return all;
  }
}

export const store${number(n)} = new ${Name}Store().put({ id: "${word}-${n}", weight: ${n % 13}, lines: [{ name: "${word}${n % 24}", amount: ${1 + (n % 5)} }] });

export function label${number(n)}(one: ${Name}): string {
  return one.lines.map(({ name, amount }) => \`\${amount} × \${rates[name].label}\`).join(", ");
}

export function total${number(n)}(depth = 0): number {
  if (depth > 2) return ${n % 7};
  return store${number(n)}.sum()${below.map((one) => ` + total${number(one)}(depth + 1)`).join('')};
}
`;
}

const kPieces = ['Alert', 'Avatar', 'Badge', 'Button', 'Card', 'Chip', 'Checkbox', 'Divider', 'LinearProgress', 'List', 'Paper', 'Rating', 'Skeleton', 'Slider', 'Switch', 'TextField'];
function component(n) {
  const piece = kPieces[n % kPieces.length];
  const inside = ['Divider', 'LinearProgress', 'Rating', 'Skeleton', 'Slider', 'Switch', 'Checkbox', 'TextField'].includes(piece) ? `<${piece} />` : `<${piece}>{label}</${piece}>`;
  return `"use client";

import { useMemo, useState } from "react";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import ${piece} from "@mui/material/${piece}";

export function Part${number(n)}({ label, amount = ${n} }: { label: string; amount?: number }) {
  const [open, setOpen] = useState(${n % 2 === 0});
  const shown = useMemo(() => Array.from({ length: 3 + (amount % 5) }, (_, i) => \`\${label} \${i + 1}\`), [label, amount]);
  return (
    <Box sx={{ p: 1, borderLeft: 2, borderColor: open ? "primary.main" : "divider" }} onClick={() => setOpen(!open)}>
      <Typography variant="subtitle2">{label}</Typography>
      ${inside}
      {open && shown.map((text) => <Typography key={text} variant="caption">{text}</Typography>)}
    </Box>
  );
}
`;
}

const kLayout = `import type { ReactNode } from "react";
import { Theme } from "@/components/Theme";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Theme>{children}</Theme>
      </body>
    </html>
  );
}
`;
const kTheme = `"use client";

import type { ReactNode } from "react";
import CssBaseline from "@mui/material/CssBaseline";
import { createTheme, ThemeProvider } from "@mui/material/styles";

const theme = createTheme({ palette: { primary: { main: "#0b6" } }, shape: { borderRadius: 6 } });

export function Theme({ children }: { children: ReactNode }) {
  return (
    <ThemeProvider theme={theme}>
      <CssBaseline />
      {children}
    </ThemeProvider>
  );
}
`;
const kProxy = `import { NextResponse, type NextRequest } from "next/server";

export function proxy(request: NextRequest) {
  const headers = new Headers(request.headers);
  headers.set("x-user", request.cookies.get("user")?.value ?? "nobody");
  return NextResponse.next({ request: { headers } });
}

export const config = { matcher: ["/((?!_next/).*)"] };
`;
const kCounter = `import { total } from "@/lib/total";

export const dynamic = "force-dynamic";

let count = 0;

export function GET(request: Request) {
  count += 1;
  return Response.json({ count, total: total(), user: request.headers.get("x-user") });
}
`;
const page = (parts, isDynamic) => `${isDynamic ? 'import { connection } from "next/server";\n' : ''}import { total } from "@/lib/total";
${parts.map((n) => `import { Part${number(n)} } from "@/components/p${number(n)}";`).join('\n')}

export default async function Page() {
${isDynamic ? '  await connection();\n' : ''}  return (
    <main>
      <h1>{total()}</h1>
${isDynamic ? '      <time>{new Date().toISOString()}</time>\n' : ''}${parts.map((n) => `      <Part${number(n)} label="part ${n}" />`).join('\n')}
    </main>
  );
}
`;

export function makeLarger(to, modules = 420) {
  if (!existsSync(join(here, 'node_modules/@mui/material/package.json'))) throw new Error(`no packages in ${here}: run "npm ci" there first`);
  const components = Math.round(modules / 5);
  const write = (name, text) => {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), text);
  };
  const all = Array.from({ length: modules - components }, (_, n) => n);
  for (const n of all) write(`lib/m${number(n)}.ts`, domain(n));
  const ends = all.filter((n) => n % 8 === 7);  // the others come with these
  write('lib/total.ts', `${ends.map((n) => `import { total${number(n)} } from "./m${number(n)}";`).join('\n')}\n\nexport const total = () => ${ends.map((n) => `total${number(n)}(1)`).join(' + ')};\n`);
  const parts = Array.from({ length: components }, (_, n) => n);
  for (const n of parts) write(`components/p${number(n)}.tsx`, component(n));
  write('components/Theme.tsx', kTheme);
  write('app/layout.tsx', kLayout);
  write('app/page.tsx', page(parts, false));
  write('app/time/page.tsx', page(parts, true));
  write('app/api/counter/route.ts', kCounter);
  write('proxy.ts', kProxy);
  write('next.config.mjs', 'export default {};\n');
  write('tsconfig.json', JSON.stringify({ compilerOptions: { target: 'ES2022', lib: ['dom', 'ES2022'], module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx', strict: true, noEmit: true, skipLibCheck: true, esModuleInterop: true, resolveJsonModule: true, isolatedModules: true, incremental: true, allowJs: true, plugins: [{ name: 'next' }], paths: { '@/*': ['./*'] } }, include: ['**/*.ts', '**/*.tsx', '.next/types/**/*.ts'], exclude: ['node_modules'] }, null, 2));
  cpSync(join(here, 'package.json'), join(to, 'package.json'));
  try {
    execFileSync('cp', ['-al', join(here, 'node_modules'), join(to, 'node_modules')], { stdio: 'ignore' });
  } catch {  // another file system
    execFileSync('cp', ['-a', join(here, 'node_modules'), join(to, 'node_modules')]);
  }
  return to;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, otherwise) => { const i = process.argv.indexOf(`--${name}`); return i < 0 ? otherwise : process.argv[i + 1]; };
  const to = option('to');
  if (!to || existsSync(to)) throw new Error('--to names a folder that is not there yet');
  makeLarger(to, Number(option('modules', 420)));
}
