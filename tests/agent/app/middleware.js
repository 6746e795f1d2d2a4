import { NextResponse } from 'next/server';

export function middleware(request) {
  const { pathname } = request.nextUrl;
  if (pathname === '/mw-answer') return new Response('from middleware');
  const saw = [...request.headers.keys()].filter((name) => name.startsWith('x-vsim')).join(',');
  if (pathname === '/iso/overridden') {
    const headers = new Headers(request.headers);
    headers.set('x-added', 'by middleware');
    headers.set('x-changed', 'new');
    headers.delete('x-removed');
    const response = NextResponse.rewrite(new URL('/iso/count?by=rewrite', request.url), { request: { headers } });
    response.cookies.set('from-mw', '1');
    return response;
  }
  const response = pathname === '/rewritten' ? NextResponse.rewrite(new URL('/api/hello', request.url)) : NextResponse.next();
  response.headers.set('x-mw-saw', saw || 'nothing');
  response.headers.set('x-mw-url', request.url);
  return response;
}

export const config = { matcher: ['/rewritten', '/mw-answer', '/api/hello', '/external/:path*', '/iso/overridden'] };
