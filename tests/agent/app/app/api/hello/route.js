import { headers } from 'next/headers';

async function answer(request) {
  const seen = [...(await headers()).keys(), ...request.headers.keys()].filter((name) => name.startsWith('x-vsim'));
  const environment = Object.keys(process.env).filter((name) => name.startsWith('VSIM_'));
  return Response.json({ url: request.url, seen, environment, options: process.env.NODE_OPTIONS ?? '', port: process.env.PORT });
}

export const GET = answer;
export const POST = answer;
