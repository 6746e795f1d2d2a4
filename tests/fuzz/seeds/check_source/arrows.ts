export const GET = async () => { await (() => (() => (() => a.b.c.d()()()))())(); while (true) {} };
