import { seconds } from './clock';

export const maxDuration = 30;

export async function makeReport(month) {
  await seconds(12); // a slow query
  return { month, rows: 1200 };
}
