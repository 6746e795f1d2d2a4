import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

// The packages are in a folder above, for all lessons at once.
let root = import.meta.dirname;
while (!existsSync(join(root, 'node_modules/next')) && dirname(root) !== root) root = dirname(root);

export default { turbopack: { root }, outputFileTracingRoot: root };
