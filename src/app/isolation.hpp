// Isolation of a run, from the wish (profile, --isolation) to what is there: asks the agent whether this Next
// can be isolated, then builds the fleet, and says in notices and events what becomes of it. Never silent
// when it cannot be had. I/O thread only; the emulator owns it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/control.hpp"
#include "app/ahead.hpp"
#include "app/core_loop.hpp"
#include "app/fleet.hpp"
#include "engine/engine.hpp"
#include "event/event.hpp"
#include "profile/profile.hpp"

namespace vsim::app {

struct IsolationOptions {
  const profile::Profile* profile = nullptr;
  std::uint64_t seed = 1;
  process::Environment env;            // of the app, before the agent's words are in it
  std::vector<std::string> env_files;  // of variables, for environment.strict; the first that has one wins
  std::string cwd;
  std::function<std::vector<std::pair<std::string, std::string>>(const std::string& root)> commit;  // World
  std::string run_dir;
  std::string scripts;  // the folder that has what runs in Node (agent::write_scripts)
  std::string control_socket, token;
  std::uint16_t port = 0;
  bool https = false;  // what listens there speaks TLS
  double time_scale = 1;
  bool inspect = false;
  bool fold_starts = true;
  bool required = false;  // without it the run is worth nothing: tell lost()
};

class IsolationShell final : private FleetWatcher, private OnClock {
 public:
  class Owner {
   public:
    virtual void isolation_says(event::Level, std::string_view message, std::string_view fix) = 0;
    virtual void isolation_lacks(const std::vector<std::string>& hooks) = 0;
    virtual void isolation_event(const event::InstanceChanged&) = 0;
    virtual void isolation_output(const OutputLine&) = 0;
    virtual void isolation_missing() = 0;  // it is required, and cannot be had

   protected:
    ~Owner() = default;
  };
  IsolationShell(boost::asio::io_context&, process::Children&, net::Timeouts&, agent::ControlChannel&,
                 CoreLoop&, Owner&, IsolationOptions);

  // What next dev is given to know of it, as variables: VSIM_ISOLATION, VSIM_RPC_SOCKET, VSIM_MIDDLEWARE,
  // VSIM_AHEAD.
  void add_environment(process::Environment&);
  // VSIM_MIDDLEWARE: how next dev asks for an instance of middleware, "http" or "https", with " nodejs" for
  // that of the Node.js runtime alone; "" if it does not.
  std::string_view asks_for_middleware() const;

  void hello(const agent::Hello&);
  void boot(const agent::Boot&);
  void changed(const agent::Changed&);
  void app_ready();
  void app_gone();
  void stop();
  // What instances go by from now on; `profile` must outlive this. Whether there are any stays as it is.
  void set_profile(const profile::Profile& profile);
  void set_time_scale(double scale);
  // All are of another deployment from now on; its name, as they have it in VERCEL_DEPLOYMENT_ID.
  std::string deploy(std::uint32_t number);
  bool kill(std::string_view name);  // false: there is none
  // How many of them still have something to do.
  std::size_t retire(instance::Why);
  // "invocation"; "none" when it could not be had.
  std::string_view effective() const;

 private:
  void fleet_output(const OutputLine& line) override { owner_.isolation_output(line); }
  void fleet_warns(std::string_view what, std::string_view fix) override {
    owner_.isolation_says(event::Level::warning, what, fix);
  }
  void fleet_lacks(const std::vector<std::string>& hooks) override { owner_.isolation_lacks(hooks); }
  void fleet_spawned(instance::InstanceId, Beginning) override;
  void fleet_spawns(std::string_view why) override;
  void fleet_tmp(std::string_view shared_why, const std::vector<std::string>& stand_ins) override;
  void fleet_disk(std::string_view open_why) override;
  void fleet_memory(std::string_view why) override;
  void fleet_state(instance::InstanceId, const instance::InstanceState& from,
                   const instance::InstanceState& to, instance::GroupId) override;
  FleetOptions fleet_options() const;
  void ahead(const agent::Ahead&);
  void make_fleet(bool grouped);
  void settings_changed();
  void give_up(std::string_view why);

  boost::asio::io_context& io_;
  process::Children& supervisor_;
  net::Timeouts& timeouts_;
  agent::ControlChannel& channel_;
  CoreLoop& loop_;
  Owner& owner_;
  IsolationOptions options_;
  std::unique_ptr<AheadPipe> ahead_;
  std::unique_ptr<Fleet> fleet_;
  agent::Boot boot_;
  std::string exec_, deployment_;  // deployment_: 2, 3, …; empty: the first
  bool given_up_ = false, grouped_ = false;
  bool said_hello_ = false;  // before that there is a fleet only for what begins ahead
};

}  // namespace vsim::app
