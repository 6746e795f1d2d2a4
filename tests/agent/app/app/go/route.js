import { NextResponse } from 'next/server';

export const dynamic = 'force-dynamic';

export function GET(request) {
  return NextResponse.redirect(new URL('/api/hello', request.url));
}
