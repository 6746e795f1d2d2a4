#include "cli/run_keys.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "cli/option_values.hpp"
#include "cli/run.hpp"
#include "profile/schema.hpp"
#include "profile/switch.hpp"

namespace vsim::cli {

double next_time_scale(double scale) {
  for (const double next : {1.0, 2.0, 5.0, 10.0})
    if (scale < next) return next;
  return 1;
}

RunKeys::RunKeys(Terminal& people, const profile::Profile& first, std::string name,
                 std::vector<std::string> overrides, double time_scale)
    : people_(people),
      profile_(&first),
      name_(name),
      first_(std::move(name)),
      overrides_(std::move(overrides)),
      time_scale_(time_scale) {}

void RunKeys::pressed(char key) { line_ ? typed(key) : act(hotkey_of(key)); }

void RunKeys::typed(char key) {
  const TypedLine::End end = line_->take(key);
  people_.app_output(line_->echo());
  if (end == TypedLine::End::not_yet) return;
  const std::string text = line_->text();
  line_.reset();
  if (end != TypedLine::End::enter) return;
  if (const std::string why = set(text); !why.empty()) fmt::print(stderr, "{}", why);
}

void RunKeys::act(Hotkey key) {
  switch (key) {
    case Hotkey::help:
      return people_.say(hotkeys_help());
    case Hotkey::clear:
      return people_.app_output("\x1b[2J\x1b[3J\x1b[H");
    case Hotkey::restart:
      return running_->restart_app();
    case Hotkey::quit:
      return running_->quit();
    case Hotkey::open:
      if (const char* ci = std::getenv("CI"); ci != nullptr && *ci != '\0')
        return people_.say("CI is set: no browser is opened; the app is at " + running_->url() + "\n");
      return open_browser();
    case Hotkey::deploy:
      return running_->deploy();
    case Hotkey::plan:
      return next_plan();
    case Hotkey::set:
      line_.emplace();
      return people_.app_output("set (KEY=VALUE, Enter): ");
    case Hotkey::retire:
      return running_->retire_instances();
    case Hotkey::time_scale:
      return next_time_scale();
    case Hotkey::none:
      return;
  }
}

void RunKeys::on_event(const event::Stamp&, const event::Event& event) {
  if (std::holds_alternative<event::RunStarted>(event)) open_browser();
}

void RunKeys::open_browser() {
  if (!cli::open_browser(running_->url()))
    people_.say("no browser was found; open " + running_->url() + "\n");
}

std::string RunKeys::asked(std::string_view what, std::string_view value) {
  if (running_ == nullptr || running_->url().empty()) return "the run has not begun";
  if (what == "retire") {
    running_->retire_instances();
  } else if (what == "deploy") {
    running_->deploy();
  } else if (what == "kill") {
    return running_->kill_instance(value);
  } else if (what == "set") {
    return set(std::string(value));
  } else if (what == "time_scale") {
    RunOptions probe;
    if (!set_time_scale(probe, value))
      return "time_scale expects a factor above 0 and up to 1000, such as 60x";
    running_->switch_time_scale(time_scale_ = probe.time_scale);
  } else if (profile::is_builtin(value) || value == first_) {
    return switch_to(std::string(value), overrides_);
  } else {
    // No other file: who has the token may change the run, and not read what lies on the disk.
    return fmt::format("profile expects one of {}, or what the run began with: {}",
                       fmt::join(profile::kBuiltinProfiles, ", "), first_);
  }
  return {};
}

std::string RunKeys::switch_to(const std::string& name, const std::vector<std::string>& overrides) {
  auto next = try_load(name, overrides);
  if (!next) return next.error();
  profile_ = &loaded_.emplace_back(std::move(*next));
  name_ = name;
  running_->switch_profile(*profile_);
  return {};
}

void RunKeys::next_plan() {
  const std::string name(profile::next_plan(profile_->name));
  const std::string why = switch_to(name, overrides_);
  if (why.empty()) return;
  fmt::print(stderr, "{}", why);
  people_.say("the plan stays " + profile_->name + ": " + name + " does not take what was set\n");
}

std::string RunKeys::set(const std::string& assignment) {
  std::vector<std::string> overrides = overrides_;
  overrides.push_back(assignment);
  std::string why = switch_to(name_, overrides);
  if (why.empty()) overrides_ = std::move(overrides);
  return why;
}

void RunKeys::next_time_scale() {
  time_scale_ = cli::next_time_scale(time_scale_);
  running_->switch_time_scale(time_scale_);
}

}  // namespace vsim::cli
