#include "project/dev_script.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace vsim::project;

namespace {

std::string said(const std::map<std::string, std::string, std::less<>>& scripts) {
  const DevScript d = parse_dev_script(scripts);
  std::string out;
  switch (d.kind) {
    case DevScript::Kind::none:
      out = "none";
      break;
    case DevScript::Kind::next_dev:
      out = "next dev";
      break;
    case DevScript::Kind::custom_server:
      out = "server " + d.custom_server;
      break;
    case DevScript::Kind::unknown:
      out = "unknown";
      break;
  }
  if (d.bundler == DevScript::Bundler::turbopack) out += ", turbopack";
  if (d.bundler == DevScript::Bundler::webpack) out += ", webpack";
  if (d.port) out += fmt::format(", port {}", *d.port);
  if (!d.hostname.empty()) out += ", host " + d.hostname;
  if (d.https) out += ", https";
  if (!d.args.empty()) out += fmt::format(", args {}", fmt::join(d.args, " "));
  if (!d.directory.empty()) out += ", dir " + d.directory;
  for (const auto& [k, v] : d.env) out += fmt::format(", {}={}", k, v);
  for (const auto& f : d.env_files) out += ", env file " + f;
  if (!d.node_flags.empty()) out += fmt::format(", node {}", fmt::join(d.node_flags, " "));
  for (const auto& n : d.notes) out += "\n" + n;
  return out;
}
std::string dev(std::string text) { return said({{"dev", std::move(text)}}); }

}  // namespace

TEST_CASE("dev script: next dev and its flags") {
  CHECK(said({}) == "none");
  CHECK(dev("next dev") == "next dev");
  CHECK(dev("next") == "next dev");
  CHECK(dev("next dev --turbopack -p 4000 -H 0.0.0.0") ==
        "next dev, turbopack, port 4000, host 0.0.0.0, args --turbopack");
  CHECK(dev("next dev --turbo --port=4001 --hostname=::") ==
        "next dev, turbopack, port 4001, host ::, args --turbo");
  CHECK(dev("next dev -p4002 --webpack apps/web") ==
        "next dev, webpack, port 4002, args --webpack, dir apps/web");
  CHECK(dev("next dev --experimental-https --experimental-https-key k.pem --experimental-https-cert=c.pem") ==
        "next dev, https, args --experimental-https --experimental-https-key k.pem "
        "--experimental-https-cert=c.pem");
  CHECK(dev("next dev --inspect 9230 --disable-source-maps") ==
        "next dev, args --inspect 9230 --disable-source-maps");
  CHECK(dev("next dev --inspect web") == "next dev, args --inspect, dir web");
  CHECK(dev("next dev -p $PORT") ==
        "next dev\nThe port `$PORT` of the dev script is none from 0 to 65535 and is not used.");
  CHECK(dev("next dev -p 70000") ==
        "next dev\nThe port `70000` of the dev script is none from 0 to 65535 and is not used.");
  CHECK(dev("./node_modules/.bin/next dev") == "next dev");
  CHECK(dev("npx next dev --turbopack") == "next dev, turbopack, args --turbopack");
  CHECK(dev("pnpm exec next dev") == "next dev");
  CHECK(dev("bun --bun next dev") == "next dev");
  CHECK(dev("bun run --bun next dev") == "next dev");
}

TEST_CASE("dev script: environment and wrappers") {
  CHECK(dev("NODE_OPTIONS='--inspect --max-old-space-size=4096' next dev") ==
        "next dev, NODE_OPTIONS=--inspect --max-old-space-size=4096");
  CHECK(dev("A=1 B=\"x y\" next dev") == "next dev, A=1, B=x y");
  CHECK(dev("cross-env NODE_ENV=development NODE_OPTIONS=--inspect next dev") ==
        "next dev, NODE_ENV=development, NODE_OPTIONS=--inspect");
  CHECK(dev("cross-env-shell \"A=1 next dev -p 3005\"") == "next dev, port 3005, A=1");
  CHECK(dev("dotenv -e .env.local -e ../.env -- next dev") ==
        "next dev, env file .env.local, env file ../.env");
  CHECK(dev("dotenv -e .env next dev -p 3002") == "next dev, port 3002, env file .env");
  CHECK(dev("dotenvx run -f .env.dev -- next dev") == "next dev, env file .env.dev");
  CHECK(dev("env A=1 next dev") == "next dev, A=1");
  CHECK(dev("doppler run -- next dev --turbopack") ==
        "next dev, turbopack, args --turbopack\n`doppler run` runs around next dev in the dev script; "
        "vercel-sim starts next dev "
        "without it, so set in your shell what it provides.");
  CHECK(dev("node --inspect node_modules/next/dist/bin/next dev") == "next dev, node --inspect");
  CHECK(dev("node --require ./trace.js ./node_modules/.bin/next dev -p 1") ==
        "next dev, port 1, node --require ./trace.js");
}

TEST_CASE("dev script: several commands") {
  CHECK(dev("prisma generate && next dev") == "next dev\n`prisma generate` of the dev script is not run.");
  CHECK(dev("next dev & node worker.js") == "next dev\n`node worker.js` of the dev script is not run.");
  // Beside next dev, what node runs is a helper, wherever it stands.
  CHECK(dev("node worker.js & next dev -p 4001") ==
        "next dev, port 4001\n`node worker.js` of the dev script is not run.");
  CHECK(dev("PORT=5000 node socket-server.js & A=1 next dev") ==
        "next dev, A=1\n`PORT=5000 node socket-server.js` of the dev script is not run.");
  CHECK(dev("node scripts/prepare.mjs && next dev") ==
        "next dev\n`node scripts/prepare.mjs` of the dev script is not run.");
  CHECK(dev("concurrently \"tsx watch ws/server.ts\" \"next dev --turbopack\"") ==
        "next dev, turbopack, args --turbopack\n`tsx watch ws/server.ts` of the dev script is not run.");
  CHECK(said({{"dev", "run-p dev:*"}, {"dev:a", "node queue.js"}, {"dev:next", "next dev"}}) ==
        "next dev\n`node queue.js` of the dev script is not run.");
  CHECK(dev("node server.js & tailwindcss -w") ==
        "server server.js\n`tailwindcss -w` of the dev script is not run.");
  CHECK(dev("concurrently -n web,db \"next dev --turbopack\" 'docker compose up'") ==
        "next dev, turbopack, args --turbopack\n`docker compose up` of the dev script is not run.");
  CHECK(said({{"dev", "run-p dev:*"}, {"dev:css", "tailwindcss -w"}, {"dev:next", "next dev -p 5"}}) ==
        "next dev, port 5\n`tailwindcss -w` of the dev script is not run.");
  CHECK(said({{"dev", "concurrently npm:web npm:db"}, {"web", "next dev"}, {"db", "redis-server"}}) ==
        "next dev\n`npm:db` of the dev script is not run.");
  CHECK(said({{"dev", "npm run next -- -p 4005"}, {"next", "next dev"}}) == "next dev, port 4005");
  CHECK(said({{"dev", "pnpm start:dev"}, {"start:dev", "X=1 next dev"}}) == "next dev, X=1");
  CHECK(said({{"dev", "yarn dev"}}) ==
        "unknown\nThe dev script `yarn dev` was not understood; vercel-sim runs `next dev`.");
  CHECK(said({{"dev", "npm run a"}, {"a", "npm run b"}, {"b", "npm run a"}}).starts_with("unknown"));
}

TEST_CASE("dev script: custom servers") {
  CHECK(dev("node server.js") == "server server.js");
  CHECK(dev("NODE_ENV=development node ./server.mjs") == "server server.mjs, NODE_ENV=development");
  CHECK(dev("node --watch server") == "server server");
  CHECK(dev("node --import tsx src/server.ts") == "server src/server.ts");
  CHECK(dev("tsx watch server.ts") == "server server.ts");
  CHECK(dev("tsx --env-file .env server.ts") == "server server.ts");
  CHECK(dev("ts-node --project tsconfig.server.json server.ts") == "server server.ts");
  CHECK(dev("nodemon") ==
        "unknown\nThe dev script `nodemon` was not understood; vercel-sim runs `next dev`.");
  CHECK(dev("nodemon --watch server server.js") == "server server.js");
  CHECK(dev("nodemon --exec 'tsx server.ts'") == "server server.ts");
  CHECK(dev("nodemon -x \"ts-node --project t.json\" server/index.ts") == "server server/index.ts");
  CHECK(dev("bun server.ts") == "server server.ts");
  CHECK(dev("concurrently \"node server.js\" \"tailwind\"") ==
        "server server.js\n`tailwind` of the dev script is not run.");
}

TEST_CASE("dev script: what is none of these") {
  CHECK(dev("turbo dev").starts_with("unknown"));
  CHECK(dev("next start").starts_with("unknown"));
  CHECK(dev("vite").starts_with("unknown"));
  CHECK(dev("").starts_with("unknown"));
  CHECK(dev("&& || ; | '").starts_with("unknown"));
}

TEST_CASE("shell words: quotes, escapes, operators") {
  const auto words = [](std::string_view line) {
    std::string out;
    for (const ShellWord& w : split_shell(line))
      out += (w.is_operator ? "<" + w.text + ">" : "[" + w.text + "]");
    return out;
  };
  CHECK(words("a  'b c' \"d \\\" e\" f\\ g ''") == "[a][b c][d \" e][f g][]");
  CHECK(words("a&&b||c;d|e&") == "[a]<&&>[b]<||>[c]<;>[d]<|>[e]<&>");
  CHECK(words("A='x y'z") == "[A=x yz]");
  CHECK(words("'open") == "[open]");
  CHECK(words("\"open") == "[open]");
}
