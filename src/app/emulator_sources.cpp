#include <fmt/format.h>

#include <boost/asio/post.hpp>

#include "app/emulator_impl.hpp"
#include "limits/duration.hpp"
#include "routes/resolve.hpp"

namespace vsim::app {

void Emulator::Impl::start_sources() {
  project::SourceOptions source_options;
  source_options.root = options.project_dir;
  sources = std::make_unique<project::SourceIndex>(std::move(source_options));
  take_sources(sources->scan());  // so that the first request finds its limit
  sources->start([this](std::shared_ptr<const project::Snapshot> seen) {
    // On the scanner's thread.
    boost::asio::post(io, [this, seen = std::move(seen)] { take_sources(seen); });
  });
}

Emulator::Impl::~Impl() {
  looked_enough = true;
  if (looking.joinable()) looking.join();
}

void Emulator::Impl::begin_look() {
  if (!options.look) return;
  looking = std::thread([this] {
    auto words = options.look(looked_enough);
    if (words.empty()) return;
    boost::asio::post(io, [this, words = std::move(words)] { say(words); });
  });
}

void Emulator::Impl::take_sources(const std::shared_ptr<const project::Snapshot>& taken) {
  snapshot = taken;
  engine->set_routes(snapshot->table);
  routes = snapshot->table;
  std::set<std::string> now_known;
  const auto tell = [&](event::Level level, const std::string& message, const std::string& fix,
                        std::string_view code, const std::string& file, int line) {
    std::string key = fmt::format("{}:{}:{}", file, line, message);
    if (!told.contains(key)) notice(level, message, fix, code, file, line);
    now_known.insert(std::move(key));
  };
  const profile::Profile& p = *options.profile;
  const routes::VercelJson* vercel = snapshot->vercel ? &*snapshot->vercel : nullptr;
  for (const auto& over : routes::over_plan(snapshot->table->functions(), p.duration_extended_max.value,
                                            profile::to_string(p.plan.value), vercel))
    tell(event::Level::error, over.message,
         fmt::format("the deployment would fail; here {} is used instead",
                     format_duration(limits::duration::limit_for(p, {over.asked}).total)),
         limits::info(limits::Code::sim_max_duration_over_plan).name, over.file, over.line);
  const bool fluid = p.compute.value == profile::Compute::fluid;
  for (const auto& finding : snapshot->findings) {
    // "fluid": true is worth a word only where the profile says otherwise.
    if (fluid && vercel != nullptr && finding.file == "vercel.json" && finding.line == vercel->fluid_line)
      continue;
    tell(finding.severity == routes::RouteSeverity::error     ? event::Level::error
         : finding.severity == routes::RouteSeverity::warning ? event::Level::warning
                                                              : event::Level::info,
         finding.message, finding.fix, {}, finding.file, finding.line);
  }
  if (vercel != nullptr && vercel->fluid == false && fluid)
    tell(event::Level::warning,
         fmt::format("vercel.json says \"fluid\": false, while profile {} is fluid", p.name),
         fmt::format("--profile {} is what this project gets on Vercel", profile::to_string(p.plan.value)),
         {}, "vercel.json", vercel->fluid_line);
  told = std::move(now_known);  // a mistake that was mended and comes back is told again
}

}  // namespace vsim::app
