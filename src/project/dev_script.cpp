#include "project/dev_script.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace vsim::project {
namespace {

using Words = std::vector<std::string>;
using Scripts = std::map<std::string, std::string, std::less<>>;
constexpr int kMaxDepth = 8;  // of scripts that run scripts

bool is_assignment(std::string_view w) {
  const std::size_t eq = w.find('=');
  if (eq == 0 || eq == std::string_view::npos) return false;
  return std::all_of(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(eq),
                     [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '_';
                     }) &&
         !(w[0] >= '0' && w[0] <= '9');
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_next(std::string_view word) {
  return word == "next" || word.ends_with("/.bin/next") || word.ends_with("next/dist/bin/next");
}

bool is_script_file(std::string_view w) {
  for (const std::string_view e : {".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"})
    if (w.ends_with(e)) return true;
  return false;
}

std::string joined(std::span<const std::string> words) { return fmt::format("{}", fmt::join(words, " ")); }

// Flags of node and its relatives that take their value as the next word.
bool takes_value(std::string_view flag) {
  return is_one_of(flag, {"-r",
                          "--require",
                          "--import",
                          "--loader",
                          "--experimental-loader",
                          "--env-file",
                          "--env-file-if-exists",
                          "-C",
                          "--conditions",
                          "--watch-path",
                          "--project",
                          "-P",
                          "-O",
                          "--compiler-options",
                          "--tsconfig",
                          "--watch",
                          "-w",
                          "--ext",
                          "-e",
                          "--ignore",
                          "-i",
                          "--delay",
                          "-d",
                          "--signal",
                          "-s",
                          "--config"});
}

class Parser {
 public:
  explicit Parser(const Scripts& scripts) : scripts_(scripts) {}
  DevScript out;

  // True when `line` turned out to run next dev or a server.
  bool line(std::string_view text, int depth) {
    if (depth > kMaxDepth) return false;
    Words command;
    bool found = false;
    Choice choice;
    const auto flush = [&] {
      if (!command.empty())
        found = among(choice, joined(command), [&] { return this->command(command, depth); });
      command.clear();
    };
    for (ShellWord& w : split_shell(text)) {
      if (w.is_operator)
        flush();
      else
        command.push_back(std::move(w.text));
    }
    flush();
    return found;
  }

 private:
  struct Choice {
    bool found = false;
    std::string text;  // of what was chosen
    DevScript before;  // it was
  };
  // Of several commands the one that is `next dev`; a file that node runs is the server only where there is
  // none: beside `next dev` it is a helper, or prepares something.
  template <class Parse>
  bool among(Choice& choice, const std::string& text, Parse parse) {
    const DevScript before = out;
    if (!choice.found) {
      if (parse()) {
        choice = {true, text, before};
        return true;
      }
      out = before;
    } else if (out.kind == DevScript::Kind::custom_server) {
      const DevScript chosen = std::exchange(out, choice.before);
      if (parse() && out.kind == DevScript::Kind::next_dev) {
        for (std::size_t i = choice.before.notes.size(); i < chosen.notes.size(); ++i)
          out.notes.push_back(chosen.notes[i]);
        out.notes.push_back(fmt::format("`{}` of the dev script is not run.", choice.text));
        choice.text = text;
        return true;
      }
      out = chosen;
    }
    out.notes.push_back(fmt::format("`{}` of the dev script is not run.", text));
    return choice.found;
  }

  bool command(std::span<const std::string> w, int depth) {
    while (!w.empty() && is_assignment(w.front())) {
      const std::size_t eq = w.front().find('=');
      out.env.emplace_back(w.front().substr(0, eq), w.front().substr(eq + 1));
      w = w.subspan(1);
    }
    if (w.empty()) return false;
    const std::string_view program = base_name(w.front());
    if (is_next(w.front())) return next(w.subspan(1));
    if (is_one_of(program, {"cross-env", "cross-env-shell", "env", "npx", "bunx", "exec", "time"})) {
      w = w.subspan(1);
      while (!w.empty() && w.front().starts_with('-')) w = w.subspan(1);
      // cross-env-shell "FOO=1 next dev"
      if (w.size() == 1 && w.front().find(' ') != std::string::npos) return line(w.front(), depth + 1);
      return command(w, depth + 1);
    }
    if (is_one_of(program, {"dotenv", "dotenvx", "env-cmd"})) return dotenv(w, depth);
    if (is_one_of(program, {"concurrently", "conc"})) return concurrently(w.subspan(1), depth);
    if (is_one_of(program, {"npm-run-all", "run-p", "run-s", "run-all"})) return run_all(w.subspan(1), depth);
    if (is_one_of(program, {"npm", "pnpm", "yarn", "bun"})) return package_manager(w, depth);
    if (is_one_of(program, {"node", "tsx", "ts-node", "ts-node-dev", "nodemon", "tsnd", "esno", "babel-node",
                            "node-dev", "deno"}))
      return runtime(w, depth);
    // Anything else that hands over to a command behind "--": doppler run -- next dev
    const auto dashes = std::find(w.begin(), w.end(), "--");
    if (dashes != w.end()) {
      const auto rest = w.subspan(static_cast<std::size_t>(dashes - w.begin()) + 1);
      if (!command(rest, depth + 1)) return false;
      out.notes.push_back(fmt::format(
          "`{}` runs around next dev in the dev script; vercel-sim starts next dev without it, so "
          "set in your shell what it provides.",
          joined(w.first(static_cast<std::size_t>(dashes - w.begin())))));
      return true;
    }
    return false;
  }

  bool dotenv(std::span<const std::string> w, int depth) {
    const std::string_view program = base_name(w.front());
    w = w.subspan(1);
    if (program == "dotenvx" && !w.empty() && w.front() == "run") w = w.subspan(1);
    while (!w.empty()) {
      const std::string& f = w.front();
      if (is_one_of(f, {"-e", "-f", "--env-file", "--file"}) && w.size() > 1) {
        out.env_files.push_back(w[1]);
        w = w.subspan(2);
      } else if (f == "-v" && w.size() > 1) {
        if (const std::size_t eq = w[1].find('='); eq != std::string::npos)
          out.env.emplace_back(w[1].substr(0, eq), w[1].substr(eq + 1));
        w = w.subspan(2);
      } else if (f == "--") {
        w = w.subspan(1);
        break;
      } else if (f.starts_with("-e=") || f.starts_with("-f=") || f.starts_with("--env-file=") ||
                 f.starts_with("--file=")) {
        out.env_files.push_back(f.substr(f.find('=') + 1));
        w = w.subspan(1);
      } else if (f.starts_with('-')) {
        w = w.subspan(1);
      } else {
        break;
      }
    }
    return command(w, depth + 1);
  }

  bool concurrently(std::span<const std::string> w, int depth) {
    Choice choice;
    for (std::size_t i = 0; i < w.size(); ++i) {
      if (w[i].starts_with('-')) {
        if (is_one_of(w[i], {"-n", "--names", "-c", "--prefix-colors", "-p", "--prefix", "-m",
                             "--max-processes", "-s", "--success", "-t", "--timestamp-format", "-l"}))
          ++i;
        continue;
      }
      std::string text = w[i];
      if (text.starts_with("npm:")) text = "npm run " + text.substr(4);
      among(choice, w[i], [&] { return line(text, depth + 1); });
    }
    return choice.found;
  }

  bool run_all(std::span<const std::string> w, int depth) {
    Choice choice;
    for (const std::string& name : w) {
      if (name.starts_with('-')) continue;
      for (const auto& [script, text] : scripts_) {
        const std::size_t star = name.find('*');
        const bool named =
            star == std::string::npos ? script == name : script.starts_with(name.substr(0, star));
        if (!named) continue;
        among(choice, text, [&, &run = text] { return line(run, depth + 1); });
      }
    }
    return choice.found;
  }

  bool package_manager(std::span<const std::string> w, int depth) {
    const std::string_view program = w.front();
    w = w.subspan(1);
    const auto skip_flags = [&] {
      while (!w.empty() && w.front().starts_with('-') && w.front() != "--") w = w.subspan(1);
    };
    skip_flags();
    bool run = false;
    if (!w.empty() && (w.front() == "run" || w.front() == "run-script")) {
      run = true;
      w = w.subspan(1);
      skip_flags();
    } else if (!w.empty() && (w.front() == "exec" || w.front() == "dlx" || w.front() == "x")) {
      w = w.subspan(1);
      skip_flags();
      if (!w.empty() && w.front() == "--") w = w.subspan(1);
      return command(w, depth + 1);
    }
    if (w.empty()) return false;
    const auto script = scripts_.find(w.front());
    if ((run || program != "npm") && script != scripts_.end()) {
      // npm run next:dev -- -p 4000: what follows belongs to the script's command
      std::string text = script->second;
      for (const std::string& extra : w.subspan(1))
        if (extra != "--") text += " '" + extra + "'";
      return line(text, depth + 1);
    }
    if (run && program != "bun") return false;
    if (program == "bun" && is_script_file(w.front())) return server(w.front());
    return program != "npm" && command(w, depth + 1);
  }

  bool runtime(std::span<const std::string> w, int depth) {
    const std::string_view program = base_name(w.front());
    w = w.subspan(1);
    Words flags;
    while (!w.empty()) {
      const std::string& f = w.front();
      if (f == "watch" || f == "run") {  // tsx watch, deno run
        w = w.subspan(1);
        continue;
      }
      if (!f.starts_with('-')) break;
      if ((f == "-x" || f == "--exec") && w.size() > 1) {  // nodemon --exec "tsx server.ts"
        const std::string inner = w[1] + " " + joined(w.subspan(2));
        return line(inner, depth + 1);
      }
      flags.push_back(f);
      const bool valued =
          takes_value(f) && (program != "node" || (f != "--watch" && f != "-w" && f != "-i" && f != "-e"));
      w = w.subspan(1);
      if (valued && program != "node" && (f == "--watch" || f == "-w") && !w.empty() &&
          is_script_file(w.front()) && w.size() == 1)
        continue;
      if (valued && !w.empty()) {
        flags.push_back(w.front());
        w = w.subspan(1);
      }
    }
    if (w.empty()) return false;
    if (is_next(w.front())) {
      if (program == "node") out.node_flags.insert(out.node_flags.end(), flags.begin(), flags.end());
      return next(w.subspan(1));
    }
    if (is_script_file(w.front()) || program == "node" || program == "nodemon") return server(w.front());
    return false;
  }

  bool server(const std::string& file) {
    out.kind = DevScript::Kind::custom_server;
    out.custom_server = file.starts_with("./") ? file.substr(2) : file;
    return true;
  }

  bool next(std::span<const std::string> w) {
    if (!w.empty() && w.front() == "dev")
      w = w.subspan(1);
    else if (!w.empty() && is_one_of(w.front(), {"start", "build", "lint", "export", "info", "telemetry"}))
      return false;
    out.kind = DevScript::Kind::next_dev;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::string& arg = w[i];
      const std::size_t eq = arg.find('=');
      const std::string name = arg.starts_with("--")  ? arg.substr(0, eq)
                               : arg.starts_with('-') ? arg.substr(0, 2)
                                                      : arg;
      std::optional<std::string> value;
      if (arg.starts_with("--") && eq != std::string::npos)
        value = arg.substr(eq + 1);
      else if (!arg.starts_with("--") && arg.starts_with('-') && arg.size() > 2)
        value = arg.substr(2);
      const auto need = [&] {
        if (!value && i + 1 < w.size()) value = w[++i];
        return value.value_or("");
      };
      if (name == "-p" || name == "--port") {
        const std::string text = need();
        std::uint16_t port = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
        if (error == std::errc{} && end == text.data() + text.size())
          out.port = port;
        else
          out.notes.push_back(
              fmt::format("The port `{}` of the dev script is none from 0 to 65535 and is not used.", text));
      } else if (name == "-H" || name == "--hostname") {
        out.hostname = need();
      } else if (name == "--turbo" || name == "--turbopack") {
        out.bundler = DevScript::Bundler::turbopack;
        out.args.push_back(arg);
      } else if (name == "--webpack") {
        out.bundler = DevScript::Bundler::webpack;
        out.args.push_back(arg);
      } else if (name.starts_with("--experimental-https") || name == "--experimental-upload-trace") {
        if (name.starts_with("--experimental-https")) out.https = true;
        out.args.push_back(arg);
        if (name != "--experimental-https" && eq == std::string::npos && i + 1 < w.size())
          out.args.push_back(w[++i]);
      } else if (arg.starts_with('-')) {
        out.args.push_back(arg);
        // --inspect 9230: an optional value, as commander reads it
        if (name == "--inspect" && eq == std::string::npos && i + 1 < w.size() && !w[i + 1].empty() &&
            w[i + 1][0] >= '0' && w[i + 1][0] <= '9')
          out.args.push_back(w[++i]);
      } else if (out.directory.empty()) {
        out.directory = arg;
      }
    }
    return true;
  }

  const Scripts& scripts_;
};

}  // namespace

std::vector<ShellWord> split_shell(std::string_view s) {
  std::vector<ShellWord> out;
  std::string word;
  bool open = false;  // a word has begun, perhaps an empty quoted one
  const auto flush = [&] {
    if (open) out.push_back({word, false});
    word.clear();
    open = false;
  };
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c == '\'') {
      const std::size_t end = std::min(s.find('\'', i + 1), s.size());
      word += s.substr(i + 1, end - i - 1);
      open = true;
      i = end;
    } else if (c == '"') {
      open = true;
      for (++i; i < s.size() && s[i] != '"'; ++i) {
        if (s[i] == '\\' && i + 1 < s.size() &&
            std::string_view("\"\\$`").find(s[i + 1]) != std::string_view::npos)
          ++i;
        word += s[i];
      }
    } else if (c == '\\' && i + 1 < s.size()) {
      word += s[++i];
      open = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      flush();
      if (c == '\n') out.push_back({";", true});
    } else if (c == '&' || c == '|' || c == ';') {
      flush();
      const bool twice = c != ';' && i + 1 < s.size() && s[i + 1] == c;
      out.push_back({std::string(twice ? 2 : 1, c), true});
      if (twice) ++i;
    } else {
      word += c;
      open = true;
    }
  }
  flush();
  return out;
}

DevScript parse_dev_script(const Scripts& scripts, std::string_view name) {
  const auto found = scripts.find(name);
  if (found == scripts.end()) return {};
  Parser parser(scripts);
  parser.out.kind = DevScript::Kind::unknown;
  if (!parser.line(found->second, 0)) {
    parser.out = {};
    parser.out.kind = DevScript::Kind::unknown;
    parser.out.notes.push_back(
        fmt::format("The dev script `{}` was not understood; vercel-sim runs `next dev`.", found->second));
  }
  parser.out.text = found->second;
  return std::move(parser.out);
}

}  // namespace vsim::project
