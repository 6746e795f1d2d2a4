// The packages are those of tests/lint: `tests/lint/node_modules/.bin/eslint .` at the top of the checkout.
import { createRequire } from "node:module";

const require = createRequire(new URL("tests/lint/package.json", import.meta.url));
const js = require("@eslint/js");
const globals = require("globals");

export default [
  { ignores: ["**/node_modules/", "build*/", "fixtures/", "tests/check/corpus/", "tests/agent/next*/", "tests/agent/app/", "tests/.next/", "dist/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: "latest", globals: globals.node },
    rules: {
      // A field that is taken out of an object so that it is not in the rest.
      "no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_$", argsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" }],
      "no-empty": ["error", { allowEmptyCatch: true }],
      "no-control-regex": "off",
      "no-regex-spaces": "off",
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": ["error", { ignoreReadBeforeAssign: true }],
    },
  },
  { files: ["**/*.cjs"], languageOptions: { sourceType: "commonjs" } },
  // What these hand to a page runs there.
  { files: ["tests/e2e/**", "tests/report/**", "src/page/**"], languageOptions: { globals: globals.browser } },
];
