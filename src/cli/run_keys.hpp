// What the keys of `run` do, and what tools ask for with the token of the terminal: takes it, changes the
// run, and says so. I/O thread only.
#pragma once

#include <list>
#include <optional>
#include <string>
#include <vector>

#include "app/emulator.hpp"
#include "cli/hotkeys.hpp"
#include "cli/terminal.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

class RunKeys final : public event::Sink {
 public:
  // `first`: what the run begins with; `name`: by which it is found. `overrides` hold on every plan. All
  // references must outlive it.
  RunKeys(Terminal& people, const profile::Profile& first, std::string name,
          std::vector<std::string> overrides, double time_scale);
  // Before the first key.
  void of(app::Emulator& running) { running_ = &running; }
  void pressed(char key);
  // What a tool asks for (app::Act): why it was not done, or nothing.
  std::string asked(std::string_view what, std::string_view value);
  // That holds now.
  const profile::Profile& profile() const { return *profile_; }
  // As a sink: the browser is opened once the app is ready.
  void on_event(const event::Stamp&, const event::Event&) override;
  // The app's address in the person's browser; says where it is when there is none.
  void open_browser();

 private:
  void act(Hotkey);
  void typed(char key);
  void next_plan();
  std::string set(const std::string& assignment);
  // Why not, or nothing.
  std::string switch_to(const std::string& name, const std::vector<std::string>& overrides);
  void next_time_scale();

  Terminal& people_;
  app::Emulator* running_ = nullptr;
  const profile::Profile* profile_;
  std::string name_;         // by which it is found: of a file, its path
  const std::string first_;  // what the run began with, likewise
  std::optional<TypedLine> line_;
  std::list<profile::Profile> loaded_;  // what was switched to: a request may go by it until the end
  std::vector<std::string> overrides_;
  double time_scale_;
};

// 1, 2, 5, 10 and again 1; after any other comes the next of these.
double next_time_scale(double scale);

}  // namespace vsim::cli
