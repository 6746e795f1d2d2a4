// Help items, completion and the manual page: all three against the option tables. The shells themselves are
// asked in tests/integration/completion.test.mjs. VSIM_UPDATE_GOLDEN=1 writes docs/man/vercel-sim.1.
#include "cli/completion.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "cli/command_table.hpp"
#include "cli/help.hpp"
#include "explain/topic.hpp"
#include "profile/schema.hpp"
#include "unit/cli/man_page.hpp"

using namespace vsim::cli;

namespace {

std::set<std::string> option_names(HelpTopic topic) {
  std::set<std::string> out;
  for (const HelpItem& i : command_options(topic))
    for (const std::string& n : i.names)
      if (n.starts_with("--")) out.insert(n);
  return out;
}

const HelpItem& item(HelpTopic topic, const std::string& name) {
  static std::vector<HelpItem> keep;
  keep = command_options(topic);
  for (const HelpItem& i : keep)
    if (std::find(i.names.begin(), i.names.end(), name) != i.names.end()) return i;
  FAIL("no " << name);
  return keep.front();
}

}  // namespace

TEST_CASE("help items: run and test have exactly the options of their tables") {
  const auto run = names_of(HelpTopic::run), test = names_of(HelpTopic::test);
  CHECK(option_names(HelpTopic::run) == std::set<std::string>(run.begin(), run.end()));
  CHECK(option_names(HelpTopic::test) == std::set<std::string>(test.begin(), test.end()));
}

TEST_CASE("help items: what a help describes, the command line knows") {
  for (const Command& t : command_table())
    if (!t.summary.empty())
      for (const HelpItem& i : command_options(t.topic))
        for (const std::string& n : i.names) {
          if (n == "--record") continue;  // described as not there yet
          INFO(t.name << " " << n);
          const std::string_view words[] = {t.name, n, "x"};
          const auto options = parse_options(words);
          if (options.ok()) continue;
          for (const std::string& p : options.error().problems)
            CHECK(p.find("unknown option") == std::string::npos);
        }
}

TEST_CASE("help items: names, values, words and continued lines") {
  const HelpItem& port = item(HelpTopic::run, "--port");
  CHECK(port.names == std::vector<std::string>{"-p", "--port"});
  CHECK(port.value == "N");
  CHECK(port.section == "where it listens");
  CHECK(item(HelpTopic::run, "--host").value == "[ADDR]");
  CHECK(item(HelpTopic::run, "--host").text.find("this machine's (default: 127.0.0.1 and ::1)") !=
        std::string::npos);
  CHECK(item(HelpTopic::run, "--https").value.empty());
  CHECK(item(HelpTopic::run, "--isolation").words ==
        std::vector<std::string>{"invocation", "instance", "fluid", "none"});
  CHECK(item(HelpTopic::run, "--placement").words == std::vector<std::string>{"pack", "spread:N"});
  CHECK(item(HelpTopic::check, "--format").words ==
        std::vector<std::string>{"text", "json", "sarif", "github"});
  CHECK(item(HelpTopic::run, "--seed").words.empty());
}

TEST_CASE("completion: every command, option, profile, code and rule is in each script") {
  for (const Shell shell : {Shell::bash, Shell::zsh, Shell::fish}) {
    const std::string script = completion_script(shell);
    const auto has = [&](std::string_view word) {
      INFO(word);
      CHECK(script.find(word) != std::string::npos);
    };
    for (const Command& t : command_table()) {
      if (t.summary.empty()) continue;
      has(t.name);
      for (const std::string& n : option_names(t.topic)) has(shell == Shell::fish ? "-l " + n.substr(2) : n);
    }
    for (const auto p : vsim::profile::kBuiltinProfiles) has(p);
    for (const vsim::explain::Topic& t : vsim::explain::topics()) has(t.id);
    has("websocket.policy=");
    has("spread");
  }
}

TEST_CASE("manual page: docs/man/vercel-sim.1 is what the help says, and no line of it is a stray request") {
  const std::string path = VSIM_SOURCE_DIR "/docs/man/vercel-sim.1";
  const std::string page = man_page();
  if (std::getenv("VSIM_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << page;
  std::ifstream in(path, std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == page);
  for (const char c : page) CHECK(static_cast<unsigned char>(c) < 0x80);
  for (const Command& t : command_table())
    if (!t.summary.empty())
      for (const HelpItem& i : help_items(t.topic))
        for (std::string n : i.names) {
          for (std::size_t at = 0; (at = n.find('-', at)) != std::string::npos; at += 2)
            n.insert(at, 1, '\\');
          INFO(n);
          CHECK(page.find(n) != std::string::npos);
        }
}
