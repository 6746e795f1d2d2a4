import { createPool } from '../../../lib/pool';

const pool = createPool({ url: process.env.DATABASE_URL, size: 1 });

export async function POST() {
  return Response.json({ visits: await pool.increment('visits') });
}
