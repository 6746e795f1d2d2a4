import { randomUUID } from "node:crypto";

// Memory of modules: one for each instance of a function.
export const instance = randomUUID();
export const seen = { count: 0, open: 0, mostOpen: 0, notes: new Map() };
