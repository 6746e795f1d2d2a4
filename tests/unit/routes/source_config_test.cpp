#include "routes/source_config.hpp"

#include <catch2/catch.hpp>

using namespace vsim::routes;

namespace {

// Everything a text says, on lines: what a reader of the terminal would have to be able to trust.
std::string said(std::string_view text, SourceRole role = SourceRole::app, std::string_view file = "f.tsx") {
  const SourceConfig c = read_source_config(text, file, role);
  std::string out;
  if (c.max_duration) {
    std::string number = std::to_string(c.max_duration->value);
    while (number.ends_with('0')) number.pop_back();
    if (number.ends_with('.')) number.pop_back();
    out += "maxDuration " + number + " line " + std::to_string(c.max_duration->line) + "\n";
  }
  if (c.runtime)
    out += "runtime " + std::string(to_string(c.runtime->value)) + " line " +
           std::to_string(c.runtime->line) + "\n";
  if (c.dynamic) out += "dynamic " + c.dynamic->value + " line " + std::to_string(c.dynamic->line) + "\n";
  if (c.has_ids) out += "ids\n";
  if (c.has_server_props) out += "server props\n";
  for (const RouteFinding& f : c.findings) out += format_finding(f) + "\n";
  return out;
}

}  // namespace

TEST_CASE("source config: literals that Next reads") {
  CHECK(said("export const maxDuration = 60") == "maxDuration 60 line 1\n");
  CHECK(said("export const maxDuration: number = 1_0;") == "maxDuration 10 line 1\n");
  CHECK(said("export const maxDuration = 60 as const") == "maxDuration 60 line 1\n");
  CHECK(said("export const maxDuration = 60 satisfies number as number") == "maxDuration 60 line 1\n");
  CHECK(said("export const maxDuration = <number>60", SourceRole::app, "f.ts") == "maxDuration 60 line 1\n");
  CHECK(said("export const maxDuration = 0x1e, x = 2, runtime = `edge`") ==
        "maxDuration 30 line 1\nruntime edge line 1\n");
  CHECK(said("export const maxDuration = 3e2") == "maxDuration 300 line 1\n");
  CHECK(said("export const maxDuration = 5.") == "maxDuration 5 line 1\n");
  CHECK(said("export const maxDuration = 0") == "maxDuration 0 line 1\n");
  CHECK(said("\n\nexport const runtime = 'nodejs'\nexport const dynamic = \"force-static\"\n") ==
        "runtime nodejs line 3\ndynamic force-static line 4\n");
  CHECK(said("export const runtime = 'experimental-edge'", SourceRole::pages) == "runtime edge line 1\n");
  CHECK(said("export const maxDuration = undefined") == "");
  CHECK(said("export const\n  maxDuration\n  = 7") == "maxDuration 7 line 2\n");
}

TEST_CASE("source config: config objects of pages") {
  CHECK(said("export const config = { maxDuration: 5, runtime: 'edge', api: { bodyParser: false } }",
             SourceRole::pages) == "maxDuration 5 line 1\nruntime edge line 1\n");
  CHECK(said("export const config = {\n  api: { bodyParser: { sizeLimit: '1mb' } },\n  'maxDuration': 30,\n} "
             "satisfies PageConfig as any",
             SourceRole::pages) == "maxDuration 30 line 3\n");
  CHECK(said("export const config: PageConfig = { maxDuration: 5 };\nexport const maxDuration = 9;",
             SourceRole::pages) == "maxDuration 9 line 2\n");
  CHECK(said("export const config = { maxDuration: 1, maxDuration: 2 }", SourceRole::pages) ==
        "maxDuration 2 line 1\n");
  CHECK(said("export const config = { maxDuration: 1.5 }", SourceRole::pages) == "maxDuration 1.5 line 1\n");
  CHECK(said("export const config = { matcher: ['/a/:path*'], runtime: 'nodejs' }", SourceRole::middleware) ==
        "runtime nodejs line 1\n");
  // app/ has no `config`.
  CHECK(said("export const config = { maxDuration: 5 }") == "");
}

TEST_CASE("source config: what looks like a setting and is none") {
  CHECK(said("// export const maxDuration = 1\n/* export const maxDuration = 2 */") == "");
  CHECK(said("const s = 'export const maxDuration = 1'; const t = `\nexport const maxDuration = 2\n`") == "");
  CHECK(said("export default () => <p>export const maxDuration = 1</p>") == "");
  CHECK(said("export default () => <pre>{`export const runtime = 'edge'`}</pre>") == "");
  CHECK(said("function f() { const maxDuration = 3; return maxDuration }\nexport default f") == "");
  CHECK(said("const maxDuration = 3; export default maxDuration") == "");
  CHECK(said("namespace x { export const maxDuration = 3 }") == "");
  CHECK(said("export const options = { maxDuration: 3 }") == "");
  CHECK(said("export type maxDuration = 3; export interface runtime {}") == "");
  CHECK(said("export declare const maxDuration: 3") == "");
  CHECK(said("export const { maxDuration } = options") == "");
  CHECK(said("export * from './config'") == "");
  CHECK(said("const re = /export const maxDuration = 1/") == "");
  CHECK(said("module.exports = { maxDuration: 3 }", SourceRole::pages) == "");
  CHECK(said("") == "");
}

TEST_CASE("source config: values Next cannot read are reported in its words, with their place") {
  const auto refused = [](std::string_view text) { return said(text); };
  const std::string start = "error: Next.js can't recognize the exported `config` field in \"f.tsx\": ";
  CHECK(refused("const T = 5;\nexport const maxDuration = T;") ==
        "f.tsx:2:28: " + start + "Unknown identifier \"T\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = 60 * 5") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"BinaryExpression\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = (60)") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"ParenthesisExpression\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = -1") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"UnaryExpression\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = Number(process.env.D)") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"CallExpression\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = a ? 1 : 2") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"ConditionalExpression\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = x!") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"TsNonNullExpression\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = 60n") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"BigIntLiteral\" at \"maxDuration\".\n");
  CHECK(refused("export const maxDuration = (T) as number") ==
        "f.tsx:1:28: " + start + "Unsupported node type \"ParenthesisExpression\".\n");
  CHECK(refused("export const runtime = `${r}`") ==
        "f.tsx:1:24: " + start + "Unsupported template literal with expressions at \"runtime\".\n");
  const std::string pages = "f.js:1:";
  const auto config = [](std::string_view text) { return said(text, SourceRole::pages, "f.js"); };
  const std::string head = "error: Next.js can't recognize the exported `config` field in \"f.js\": ";
  CHECK(config("export const config = { ...base, maxDuration: 5 }") ==
        "f.js:1:23: " + head + "Unsupported spread operator in the Object Expression at \"config\".\n");
  CHECK(config("export const config = { maxDuration: 5, api: { bodyParser: b } }") ==
        "f.js:1:60: " + head + "Unknown identifier \"b\" at \"config.api.bodyParser\".\n");
  CHECK(config("export const config = { [k]: 5 }") ==
        "f.js:1:25: " + head + "Unsupported key type \"Computed\" in the Object Expression at \"config\".\n");
  CHECK(config("export const config = { regions: [a] }") ==
        "f.js:1:35: " + head + "Unknown identifier \"a\" at \"config.regions[0]\".\n");
}

TEST_CASE("source config: values of the wrong kind") {
  CHECK(said("export const maxDuration = '60'") ==
        "f.tsx:1:28: error: Invalid segment configuration options detected for \"f.tsx\": Expected number at "
        "\"maxDuration\", "
        "received \"60\".\n");
  CHECK(said("export const maxDuration = 1.5") ==
        "f.tsx:1:28: error: Invalid segment configuration options detected for \"f.tsx\": Expected integer "
        "at \"maxDuration\", "
        "received 1.5.\n");
  CHECK(said("export const runtime = 'bun'") ==
        "f.tsx:1:24: error: Invalid segment configuration options detected for \"f.tsx\": Expected 'edge' | "
        "'nodejs' at "
        "\"runtime\", received \"bun\".\n");
  CHECK(said("export const config = { maxDuration: null }", SourceRole::pages) ==
        "f.tsx:1:38: error: Invalid segment configuration options detected for \"f.tsx\": Expected number at "
        "\"config.maxDuration\", received null.\n");
}

TEST_CASE("source config: exports that Next overlooks") {
  CHECK(said("export let maxDuration = 5") ==
        "f.tsx:1:12: warning: `maxDuration` is not exported with `const`, so Next.js does not read it and "
        "the default is used.\n");
  CHECK(said("const maxDuration = 5;\nexport { maxDuration };") ==
        "f.tsx:2:10: warning: Next.js can't recognize the exported `maxDuration` field in \"f.tsx\", it may "
        "be re-exported from "
        "another file. The default config will be used instead.\n");
  CHECK(said("export { t as maxDuration, runtime } from './shared'") ==
        "f.tsx:1:10: warning: Next.js can't recognize the exported `maxDuration` field in \"f.tsx\", it may "
        "be re-exported from "
        "another file. The default config will be used instead.\n"
        "f.tsx:1:28: warning: Next.js can't recognize the exported `runtime` field in \"f.tsx\", it may be "
        "re-exported from "
        "another file. The default config will be used instead.\n");
}

TEST_CASE("source config: other exports that matter") {
  CHECK(said("export async function generateSitemaps() { return [] }") == "ids\n");
  CHECK(said("export const generateImageMetadata = () => []") == "ids\n");
  CHECK(said("export async function getServerSideProps() {}", SourceRole::pages) == "server props\n");
  CHECK(said("export const getServerSideProps = async () => ({})", SourceRole::pages) == "server props\n");
  CHECK(said("export { getServerSideProps } from './x'", SourceRole::pages) == "server props\n");
}

TEST_CASE("source config: a file that is being edited gives what can be read of it") {
  const SourceConfig c = read_source_config(
      "export const maxDuration = 5\nexport async function GET( {\n  return {", "r.ts", SourceRole::app);
  REQUIRE(c.max_duration.has_value());
  CHECK(c.max_duration->value == 5);
  REQUIRE(c.findings.size() == 1);
  CHECK(c.findings[0].severity == RouteSeverity::hint);
  for (const char* text : {"export const maxDuration =", "export const", "{{{{", "\"", "`${`${", "<a><b>",
                           "\xff\xfe\x80", "export {", "/*"}) {
    CHECK_NOTHROW(read_source_config(text, "r.tsx", SourceRole::app));
    CHECK_NOTHROW(read_source_config(text, "r.ts", SourceRole::pages));
  }
  const std::string deep = "export const config = " + std::string(20000, '[') + std::string(20000, ']');
  CHECK_NOTHROW(read_source_config(deep, "r.ts", SourceRole::pages));
}
