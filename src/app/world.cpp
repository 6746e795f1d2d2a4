#include "app/world.hpp"

#include <fmt/format.h>

#include <random>

#include "agent/scripts.hpp"
#include "process/supervisor.hpp"

namespace vsim::app {

std::string random_secret() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

Result<StartedChildren> guarded_children(boost::asio::io_context& io) {
  auto guardian = process::Guardian::start();
  if (!guardian) return guardian.error();
  auto children = std::make_unique<process::Supervisor>(io, guardian->get());
  return StartedChildren{std::move(*guardian), std::move(children)};
}

Result<Folder> private_folder(process::Guardian* guardian) {
  auto dir = process::RunDir::create(guardian);
  if (!dir) return dir.error();
  auto scripts = agent::write_scripts(dir->path());
  if (!scripts) return scripts.error();
  return Folder{std::move(*dir), std::move(*scripts)};
}

}  // namespace vsim::app
