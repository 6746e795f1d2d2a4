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

RunKeys::RunKeys(Terminal& people, const profile::Profile& first, std::vector<std::string> overrides,
                 double time_scale)
    : people_(people), profile_(&first), overrides_(std::move(overrides)), time_scale_(time_scale) {}

void RunKeys::pressed(Hotkey key) {
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

void RunKeys::next_plan() {
  const std::string name(profile::next_plan(profile_->name));
  auto next = load(name, overrides_);
  if (!next)
    return people_.say("the plan stays " + profile_->name + ": " + name + " does not take what was set\n");
  profile_ = &loaded_.emplace_back(std::move(*next));
  running_->switch_profile(*profile_);
}

void RunKeys::next_time_scale() {
  time_scale_ = cli::next_time_scale(time_scale_);
  running_->switch_time_scale(time_scale_);
}

}  // namespace vsim::cli
