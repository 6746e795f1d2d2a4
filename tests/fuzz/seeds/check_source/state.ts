const m = new Map();
let n = 0;
export async function POST(r) { m.set((await r.json()).id, 1); n++; setInterval(() => n++, 1000); fetch("http://localhost:3000/api/x"); return new Response(String(m.size)); }
