// TypeScript's checker over our JavaScript (tests/lint/tsconfig.json): node scripts/check-types.mjs. What it says of a file fails.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lint = join(root, 'tests/lint');
const { status, error } = spawnSync(process.execPath, [join(lint, 'node_modules/typescript/bin/tsc'), '-p', lint, '--pretty', 'false'], { cwd: root, stdio: 'inherit' });
if (error) console.error(error);
process.exit(status ?? 1);
