import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const external = process.env.EXTERNAL_ORIGIN;
const config = {
  basePath: process.env.BASE_PATH || undefined,
  i18n: process.env.LOCALES ? { locales: process.env.LOCALES.split(' '), defaultLocale: 'en' } : undefined,
  rewrites: async () => (external ? [{ source: '/external/:path*', destination: `${external}/:path*` }] : []),
};
if (process.env.NEXT_MAJOR === '14') config.experimental = { instrumentationHook: true };
else config.turbopack = { root: dirname(fileURLToPath(import.meta.url)) };
export default config;
