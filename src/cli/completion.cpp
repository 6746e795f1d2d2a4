#include "cli/completion.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command_table.hpp"
#include "cli/help.hpp"
#include "explain/topic.hpp"
#include "profile/schema.hpp"

namespace vsim::cli {
namespace {

// What may stand for a value. `words` can come with files: a profile is a name or a path.
struct Values {
  std::vector<std::string> words;
  bool files = false, directories = false;
  bool open = false;  // a word is only begun: duration.max=
};

Values profiles() {
  Values v;
  for (const auto name : profile::kBuiltinProfiles) v.words.emplace_back(name);
  v.files = true;
  return v;
}

Values values_of(const HelpItem& item) {
  Values v;
  const std::string& what = item.value;
  if (what.empty()) return v;
  if (what == "NAME|FILE") return profiles();
  if (what == "KEY=VALUE") {
    for (const auto key : profile::key_names()) v.words.push_back(fmt::format("{}=", key));
    v.open = true;
    return v;
  }
  v.words = item.words;
  for (std::string& w : v.words)
    if (w.ends_with(":N")) w.back() = '2';  // spread:N
  v.directories = what == "DIR";
  v.files = what.starts_with("FILE");
  return v;
}

// What a command takes besides options, as its row says.
Values arguments_of(std::string_view kinds) {
  Values v;
  for (const std::string_view kind : split(kinds, " ")) {
    v.files |= kind == "FILE" || kind == "PROFILE";
    v.directories |= kind == "DIR";
    if (kind == "PROFILE") {
      v.words.insert(v.words.end(), std::begin(profile::kBuiltinProfiles),
                     std::end(profile::kBuiltinProfiles));
    } else if (kind == "CODE") {
      for (const explain::Topic& t : explain::topics()) v.words.push_back(t.id);
    } else if (kind == "COMMAND") {
      for (const Command& c : command_table())
        if (!c.summary.empty()) v.words.emplace_back(c.name);
    } else if (kind != "FILE" && kind != "DIR") {
      v.words.emplace_back(kind);
    }
  }
  return v;
}

struct Completed {
  std::string name, text;
  std::vector<HelpItem> options;
  Values arguments;
};
std::vector<Completed> commands() {
  std::vector<Completed> out;
  for (const Command& c : command_table()) {
    const bool alone = c.summary.empty();  // `help` has no options
    out.push_back({std::string(c.name), std::string(alone ? "help of a command" : c.summary),
                   alone ? std::vector<HelpItem>() : command_options(c.topic), arguments_of(c.arguments)});
  }
  return out;
}

std::string names_of(const Completed& c) {
  std::vector<std::string> names;
  for (const HelpItem& i : c.options) names.insert(names.end(), i.names.begin(), i.names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

// ---- bash

std::string bash_reply(const Values& v) {
  std::string out;
  if (!v.words.empty())
    out += fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"));", fmt::join(v.words, " "));
  if (v.open) out += " compopt -o nospace;";
  if (v.files) out += " compopt -o filenames; COMPREPLY+=($(compgen -f -- \"$cur\"));";
  if (v.directories) out += " compopt -o filenames; COMPREPLY+=($(compgen -d -- \"$cur\"));";
  return out.empty() ? ":;" : out;
}

std::string bash() {
  std::string out =
      "# bash completion of vercel-sim, made by: vercel-sim completion bash\n"
      "_vercel_sim() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i\n"
      "  COMPREPLY=()\n"
      "  # --name=value comes as three words.\n"
      "  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
      "      compopt -o default; if ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- \"$cur\")); fi; "
      "return\n"
      "    fi\n"
      "    if [[ -z $command && ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; fi\n"
      "  done\n"
      "  case $command in\n";
  std::vector<std::string> names;
  for (const Completed& c : commands()) {
    names.push_back(c.name);
    out += fmt::format("  {})\n    case $prev in\n", c.name);
    for (const HelpItem& i : c.options)
      if (!i.value.empty() && !i.value.starts_with('['))
        out += fmt::format("    {}) {} return ;;\n", fmt::join(i.names, "|"), bash_reply(values_of(i)));
    out += "    esac\n";
    if (!c.options.empty())
      out += fmt::format(
          "    if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return; fi\n",
          names_of(c));
    out += fmt::format("    {} return ;;\n", bash_reply(c.arguments));
  }
  out += fmt::format(
      "  *) COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$cur\")) ;;\n  esac\n}}\n"
      "complete -F _vercel_sim vercel-sim\n",
      fmt::join(names, " "));
  return out;
}

// ---- zsh

// In single quotes inside the specifications of _arguments, where brackets and colons have a meaning.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 90)) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      out += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < 0x80)
      out += c;
  }
  return out;
}

std::string zsh_action(const Values& v, std::string_view label) {
  const std::string words = [&] {
    std::string w;
    for (const std::string& x : v.words) {
      if (!w.empty()) w += ' ';
      for (const char c : x) w += c == ':' ? std::string("\\:") : std::string(1, c);
    }
    return w;
  }();
  if (v.files && !words.empty()) return fmt::format(":{}:{{compadd -- {}; _files}}", label, words);
  if (v.files) return fmt::format(":{}:_files", label);
  if (v.directories) return fmt::format(":{}:_files -/", label);
  if (v.open) return fmt::format(":{}:{{compadd -S \"\" -- {}}}", label, words);
  if (!words.empty()) return fmt::format(":{}:({})", label, words);
  return fmt::format(":{}: ", label);
}

std::string zsh() {
  std::string out =
      "#compdef vercel-sim\n# zsh completion of vercel-sim, made by: vercel-sim completion zsh\n"
      "_vercel_sim() {\n  local -a commands\n  commands=(\n";
  const std::vector<Completed> all = commands();
  for (const Completed& c : all) out += fmt::format("    '{}:{}'\n", c.name, zsh_text(c.text));
  out +=
      "  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n"
      "  if [[ ${words[(i)--]} -lt $CURRENT ]]; then\n    _normal -p vercel-sim\n    return\n  fi\n"
      "  case $command in\n";
  for (const Completed& c : all) {
    out += fmt::format("  {})\n    _arguments", c.name);
    for (const HelpItem& i : c.options)
      for (const std::string& n : i.names) {
        const bool repeats = n == "--set";
        const bool optional = i.value.starts_with('[');
        const std::string value =
            i.value.empty() ? std::string()
                            : fmt::format("{}{}", optional ? ":" : "", zsh_action(values_of(i), "value"));
        out += fmt::format(" \\\n      '{}{}[{}]{}'", repeats ? "*" : "", n, zsh_text(i.text), value);
      }
    out += fmt::format(" \\\n      '*{}'\n    ;;\n", zsh_action(c.arguments, "argument"));
  }
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _vercel_sim ]]; then _vercel_sim \"$@\"; else compdef "
         "_vercel_sim vercel-sim; fi\n";
}

// ---- fish

std::string fish_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string fish() {
  const std::vector<Completed> all = commands();
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Completed& c : all) names.push_back(c.name);
  std::string out = fmt::format(
      "# fish completion of vercel-sim, made by: vercel-sim completion fish\n"
      "set -l commands {}\n"
      "complete -c vercel-sim -f\n"
      "complete -c vercel-sim -n \"not __fish_seen_subcommand_from $commands\" -s h -l help -d 'help'\n"
      "complete -c vercel-sim -n \"not __fish_seen_subcommand_from $commands\" -s V -l version -d 'the "
      "version'\n",
      fmt::join(names, " "));
  for (const Completed& c : all) {
    const std::string when =
        fmt::format("complete -c vercel-sim -n '__fish_seen_subcommand_from {}'", c.name);
    out +=
        fmt::format("complete -c vercel-sim -n \"not __fish_seen_subcommand_from $commands\" -a {} -d '{}'\n",
                    c.name, fish_text(c.text));
    for (const HelpItem& i : c.options) {
      out += when;
      for (const std::string& n : i.names)
        out += n.starts_with("--") ? " -l " + n.substr(2) : " -s " + n.substr(1);
      const Values v = values_of(i);
      if (!i.value.empty() && !i.value.starts_with('[')) {
        out += v.files ? " -r -F" : " -x";
        if (!v.words.empty())
          out += fmt::format(" -a '{}'", fmt::join(v.words, " "));
        else if (v.directories)
          out += " -a '(__fish_complete_directories)'";
      }
      out += fmt::format(" -d '{}'\n", fish_text(i.text));
    }
    const Values& a = c.arguments;
    if (!a.words.empty() && a.words.front() != "--")
      out += fmt::format("{} -a '{}'\n", when, fmt::join(a.words, " "));
    if (a.directories) out += when + " -a '(__fish_complete_directories)'\n";
    if (a.files) out += when + " -F\n";
  }
  return out;
}

}  // namespace

std::string completion_script(Shell shell) {
  switch (shell) {
    case Shell::bash:
      return bash();
    case Shell::zsh:
      return zsh();
    case Shell::fish:
      return fish();
  }
  return {};
}

}  // namespace vsim::cli
