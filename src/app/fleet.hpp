// The instances of a run as processes: carries out what core/ decides about them (when one starts, what it is
// bound to, when it goes), and tells it what happens to them and what they say. I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/control.hpp"
#include "app/core_loop.hpp"
#include "app/instance_process.hpp"
#include "app/memory_sampler.hpp"
#include "app/output_line.hpp"
#include "app/start_noise.hpp"
#include "app/template.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "limits/instance_end.hpp"
#include "limits/tmp_files.hpp"
#include "net/timeouts.hpp"
#include "process/children.hpp"
#include "process/environment.hpp"
#include "process/memory_group.hpp"
#include "profile/profile.hpp"

namespace vsim::app {

struct FleetOptions {
  instance::SchedulerOptions scheduler;
  std::string run_dir;  // sockets stand here
  process::Environment env;
  std::string cwd;
  // What is run for an instance (instance.cjs) and for their template, by the program that boot() names.
  std::string script, template_script;
  // Loaded into the template before all else: where V8's memory lies (agent/heap.c).
  std::string template_heap;
  std::string control_socket, token;
  std::uint16_t public_port = 0;
  bool public_https = false;
  double time_scale = 1;
  bool own_tmp = false;       // each instance has a /tmp of its own, where this system lets it
  std::uint64_t tmp_max = 0;  // bytes of it
  bool read_only = false;     // the rest of the disk is read-only for it, where this system lets it
  bool strict = false;        // variables are the deployment's: what one names is no stand-in
  unsigned descriptors = 0;   // the most that an instance may have open; 0: as the system lets us
  std::string machine;        // what the machine of a deployment lacks, and what is done about it
  bool warm = true;           // bound spares run the request path
  bool inspect = false;       // each opens an inspector
  bool fork = false;          // instances of `next dev` are copies of a template
  bool fold_starts = true;    // start_noise.hpp
};

// How the process of an instance began.
enum class Beginning : std::uint8_t {
  spawn,     // by itself
  evaluate,  // as a copy of the base template: it evaluates the modules of its function
  fork,      // as a copy of the function's template, which has done so
};
std::string_view to_string(Beginning);  // "spawn", "fork+evaluate", "fork"

// What is of no invocation. Must not call the fleet.
class FleetWatcher {
 public:
  virtual void fleet_output(const OutputLine&) = 0;
  virtual void fleet_warns(std::string_view what, std::string_view fix) = 0;
  virtual void fleet_lacks(const std::vector<std::string>& /*hooks*/) {}  // of an instance's Next
  virtual void fleet_state(instance::InstanceId, const instance::InstanceState& from,
                           const instance::InstanceState& to, instance::GroupId) = 0;
  // Its process runs; fleet_state from now on.
  virtual void fleet_spawned(instance::InstanceId, Beginning) {}
  // How instances have their /tmp: shared by all for this reason (empty: it is each one's own), but for what
  // variables name.
  virtual void fleet_tmp(std::string_view /*shared_why*/, const std::vector<std::string>& /*stand_ins*/) {}
  // Who writes to the rest of the disk unseen is not held back, for this reason.
  virtual void fleet_disk(std::string_view /*open_why*/) {}
  // What is over memory.max is seen by readings alone, for this reason.
  virtual void fleet_memory(std::string_view /*why*/) {}
  virtual void fleet_spawns(std::string_view /*why*/) {}  // there is no template, though one was asked for

 protected:
  ~FleetWatcher() = default;
};

class Fleet final : public agent::InstanceHandler, private CoreLoop::Instances {
 public:
  // All references must outlive the fleet.
  Fleet(boost::asio::io_context&, process::Children&, net::Timeouts&, agent::ControlChannel&, CoreLoop&,
        FleetWatcher&, FleetOptions);
  ~Fleet();

  // From the agent. boot() comes first, and again with a new environment; gone(): next dev has ended, those
  // who wait are refused with NO_RESPONSE_FROM_FUNCTION.
  void boot(const agent::Boot&, std::string_view exec);
  // Before it: what is guessed of it. The template begins with that.
  void prepare(const agent::Boot& guess, std::string_view exec);
  void changed(const agent::Changed&);
  void gone();
  void start();  // the app is ready
  void stop();
  // What instances are started with, and how they are used, from now on: where that differs, those that are
  // there take no more. Whether functions share one stays, and so does what is told of `run_dir`, `token` and
  // sockets.
  void set_options(FleetOptions, instance::Why = instance::Why::settings);
  // Ends the process of "i3", as the system would. False: there is none.
  bool kill(std::string_view name);
  // All take no more. How many of them still have something to do.
  std::size_t retire(instance::Why);

  // For events, from inside fleet_state.
  const std::string& last_death() const { return last_death_; }
  // What it is bound to, or what was placed on it last, in Next's words; empty: none.
  struct PageName {
    std::string page, kind;
  };
  PageName function_of(instance::InstanceId, const instance::InstanceState&) const;
  struct Figures {
    std::uint64_t memory = 0;
    int pid = 0;
  };
  Figures figures(instance::InstanceId) const;
  // From inside fleet_state, at `bound`: why there is no template of its function. Once for each function and
  // reason; else empty.
  std::string take_uncopied(instance::InstanceId);

  // agent::InstanceHandler
  bool on_instance(std::uint64_t n, std::string_view secret, pid_t) override;
  bool is_of_instance(pid_t) override;
  void on_ready(std::uint64_t n, double ms) override;
  void on_bound(std::uint64_t n, agent::BoundReport) override;
  void on_handler(std::uint64_t n, InvocationId) override;
  void on_dispatch(std::uint64_t n, InvocationId, std::string_view page, std::string_view kind,
                   std::string_view runtime, bool is_static) override;
  void on_compile(std::uint64_t n, InvocationId, bool ended) override;
  void on_call(std::uint64_t n, bool open) override;
  void on_done(std::uint64_t n, InvocationId, std::optional<std::vector<std::string>> files,
               const std::vector<Hanging>&, bool untouched) override;
  void on_state(std::uint64_t n, InvocationId, const StateReport&) override;
  void on_pong(std::uint64_t n) override;
  void on_answer_at(std::uint64_t n, InvocationId, std::string_view place) override;
  void on_refused(std::uint64_t n, InvocationId, const agent::Refused&) override;
  void on_missing(std::uint64_t n, const std::vector<std::string>& names) override;
  void on_connections(std::uint64_t n, InvocationId, const agent::Connections&) override;
  void on_machine(std::uint64_t n, InvocationId, const agent::Machine&) override;
  void on_tmp(std::uint64_t n, std::string_view wrote, std::string_view removed, bool at_build) override;
  void on_made(std::uint64_t n, InvocationId, const agent::MadeReport&) override;
  void on_revalidated(std::uint64_t n) override;
  void on_socket_failed(std::uint64_t n, InvocationId) override;
  void on_broken_off(std::uint64_t n, InvocationId, std::string_view message,
                     std::string_view source) override;
  void on_crashed(std::uint64_t n, InvocationId, int exit_status) override;
  void on_dying(std::uint64_t n, std::string_view why, std::string_view message,
                std::string_view stack) override;
  void on_closed(std::uint64_t n) override;

 private:
  struct Instance {
    std::unique_ptr<InstanceProcess> process;
    bool connected = false, ready = false, call_open = false;
    bool is_copy = false;
    bool is_template = false;  // of a function, or about to be
    std::unique_ptr<process::ForkServer>
        copies;            // what it is told by to copy itself; of a copy of the base's
    std::string uncopied;  // why it is not to be one
    std::uint64_t memory = 0;
    std::unique_ptr<process::MemoryGroup> group;  // where memory.max is the kernel's to enforce
    instance::FunctionId function = instance::FunctionId::none;  // placed on it last
  };

  // CoreLoop::Instances
  std::optional<Placed> place(const core::SendTo&) override;
  void obey(core::CoreCommand&) override;
  bool busy(instance::InstanceId id) const override { return sampler_.busy(id); }
  Duration unserved(instance::InstanceId id) const override { return sampler_.unserved(id); }
  void changed_state(instance::InstanceId, const instance::InstanceState& from,
                     const instance::InstanceState& to, instance::GroupId) override;
  // What it says of an invocation that it has: f(engine, moment).
  template <class F>
  void found(std::uint64_t n, InvocationId id, F f) {
    if (!loop_.core().holds(static_cast<instance::InstanceId>(n), id)) return;
    loop_.tell([&](core::Core& core, const core::Moment& m, auto&) { f(core.engine(), m); });
  }
  void obey(instance::Spawn&);
  void obey(instance::Bind&);
  void obey(instance::Raise&);
  void obey(instance::Freeze&);
  void obey(instance::Thaw&);
  void obey(instance::Ping&);
  void obey(instance::Kill&);
  void obey(core::Expire&);
  void obey(core::EndSilent&);
  void obey(core::Hurry&);
  void obey(core::Weigh&);
  void obey(core::Remark&);
  // Those that are no instance's.
  void obey(core::EndExchange&) {}
  void obey(core::SendTo&) {}

  Instance* find(instance::InstanceId);
  Instance* find(std::uint64_t n) { return find(static_cast<instance::InstanceId>(n)); }
  // One that a template is asked to copy itself for.
  struct Coming {
    InstanceSpec spec;
    instance::InstanceId of = instance::InstanceId::none;  // the template; none: the base
    process::os::Fd orders;  // our end of what it will be told by to copy itself
    std::shared_ptr<const agent::StateReader::Variables> variables;  // what its template has told
    bool asked = false;                                              // else it waits for the template
    bool doomed = false;                                             // it is to end as soon as it is there
  };
  std::string socket_of(instance::InstanceId) const;
  // Why /tmp is shared, and the disk open, where they are.
  struct Shared {
    std::string tmp, disk;
  };
  Shared find_tmp();
  void settle_tmp();
  void take_what_there_is(process::OwnTmp, std::string& shared, std::string& open);
  void add_node(std::vector<std::string>& argv, process::Environment&) const;
  InstanceSpec spec_of(instance::InstanceId, bool background);
  TemplateProcess::Callbacks template_callbacks();
  std::optional<process::SpawnOptions> template_options(bool ahead = false);
  void start_template();
  bool go_on_with_template();  // one that has begun ahead; false: there is none, or it is of no use
  void stop_template();
  void tell_spawns(std::string_view why);  // once for each reason
  void abandon_copies();
  void start_those_that_come();
  void ask_copy(instance::InstanceId, Coming&);
  void copied(instance::InstanceId, Result<process::Coming>);
  void spawn(instance::InstanceId, InstanceSpec);
  InstanceProcess::Callbacks callbacks_of(instance::InstanceId);
  void began(instance::InstanceId, std::unique_ptr<InstanceProcess>, Beginning);
  void take_orders(instance::InstanceId, process::os::Fd);
  void standing(instance::InstanceId);
  void lost(instance::InstanceId);
  void never_start(instance::InstanceId);
  void ended(instance::InstanceId);
  void debugger(instance::InstanceId);
  void output(instance::InstanceId, const OutputLine&);
  void say(instance::InstanceId, std::string line);
  void sampled(instance::InstanceId, std::uint64_t bytes, std::uint64_t shared);
  void limit_memory(Instance&);
  std::uint64_t program_of(const Instance&) const;  // of its memory, bytes

  boost::asio::io_context& io_;
  process::Children& supervisor_;
  net::Timeouts& timeouts_;
  agent::ControlChannel& channel_;
  CoreLoop& loop_;
  FleetWatcher& watcher_;
  FleetOptions options_;
  bool started_ = false, stopped_ = false;

  std::optional<Result<std::unique_ptr<process::MemoryGroups>>> memory_groups_;  // nullopt: not asked for yet
  std::map<instance::InstanceId, Instance> instances_;
  std::map<instance::InstanceId, Coming> comings_;
  agent::Boot boot_;
  std::optional<process::OwnTmp> own_tmp_;  // what instances are started with
  limits::TmpFiles tmp_files_;
  std::string exec_, last_death_;
  std::set<std::string> warned_;
  StartNoise noise_;
  std::set<instance::FunctionId> without_client_;  // whose template evaluates no client components
  TemplateProcess template_;

  MemorySampler sampler_;
};

}  // namespace vsim::app
