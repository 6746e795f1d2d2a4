export const dynamic = 'force-dynamic';

export async function GET() {
  const names = Object.keys(process.env).filter((name) => /VSIM|STANDALONE/.test(name));
  const { FROM_DOT_ENV, VERCEL_REGION } = process.env;
  return Response.json({ names, FROM_DOT_ENV, VERCEL_REGION, node: process.env.NODE_ENV, cwd: process.cwd(), argv: process.execArgv, ipc: typeof process.send });
}
