// Reads what an instance tells of the memory of its modules ("state" in docs/agent-protocol.md). A variable
// is told in full once on each connection, with a number, or by the template that the process is a copy of;
// then only what is no longer as it was told.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/module_state.hpp"

namespace vsim::agent {

class StateReader {
 public:
  static constexpr std::uint64_t kMostVariables = 4096;  // of one connection: who has more tells all in full

  // A variable as it was told last.
  struct Variable {
    std::string name, at, kind;
    std::uint64_t size = 0;
    bool unread = false;
    std::vector<std::string> had;
  };
  using Variables = std::map<std::uint64_t, Variable>;

  StateReader() = default;
  // Of a copy: it knows what its template has told, and does not tell it again.
  explicit StateReader(std::shared_ptr<const Variables> of_template) : of_template_(std::move(of_template)) {}

  // "state". A variable that is not told in full and was never told before is left out.
  StateReport read(const boost::json::object& told);
  // "variables", which a template tells for its copies.
  void take(const boost::json::object& told);
  // What copies of this process begin with; null: it has told nothing for them.
  std::shared_ptr<const Variables> for_copies() const;

 private:
  const Variable* known(std::uint64_t n) const;
  Variable* own(std::uint64_t n);  // to be changed here

  Variables known_;
  bool has_copies_ = false;
  std::shared_ptr<const Variables> of_template_;
};

}  // namespace vsim::agent
