import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** @type {import('next').NextConfig} */
export default {
  // This folder is the whole project: without it, Next looks for lock files in the folders above and may pick one of them as root.
  turbopack: { root: dirname(fileURLToPath(import.meta.url)) },
};
