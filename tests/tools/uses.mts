// Compiled only (start.test.mjs): what a global set-up may write.
import {start, type Sim, type Verdict} from '../../packaging/npm/vercel-sim/lib/index.js';

const sim: Sim = await start({profile: 'hobby', set: {'duration.default': '5s'}, args: ['--https'], timeout: 60_000});
const found: Verdict[] = await sim.verdicts();
const codes: string[] = found.filter((v) => v.enforced).map((v) => `${v.code} ${v.event.seq}`);
// @ts-expect-error a plan is a text
await start({profile: 3});
await sim.stop();
export default codes;
