import { seconds } from './clock';

export const maxDuration = 30;

export async function makeReport() {
  await seconds(12); // a slow query
  return { rows: 1200 };
}
