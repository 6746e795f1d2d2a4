#include "cli/run_keys.hpp"

#include <cstdlib>
#include <utility>

#include "cli/run.hpp"
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
      name_(std::move(name)),
      overrides_(std::move(overrides)),
      time_scale_(time_scale) {}

void RunKeys::pressed(char key) { line_ ? typed(key) : act(hotkey_of(key)); }

void RunKeys::typed(char key) {
  const TypedLine::End end = line_->take(key);
  people_.app_output(line_->echo());
  if (end == TypedLine::End::not_yet) return;
  const std::string text = line_->text();
  line_.reset();
  if (end == TypedLine::End::enter) set(text);
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

bool RunKeys::switch_to(const std::string& name, const std::vector<std::string>& overrides) {
  auto next = load(name, overrides);
  if (!next) return false;
  profile_ = &loaded_.emplace_back(std::move(*next));
  name_ = name;
  running_->switch_profile(*profile_);
  return true;
}

void RunKeys::next_plan() {
  const std::string name(profile::next_plan(profile_->name));
  if (!switch_to(name, overrides_))
    people_.say("the plan stays " + profile_->name + ": " + name + " does not take what was set\n");
}

void RunKeys::set(const std::string& assignment) {
  std::vector<std::string> overrides = overrides_;
  overrides.push_back(assignment);
  if (switch_to(name_, overrides)) overrides_ = std::move(overrides);
}

void RunKeys::next_time_scale() {
  time_scale_ = cli::next_time_scale(time_scale_);
  running_->switch_time_scale(time_scale_);
}

}  // namespace vsim::cli
