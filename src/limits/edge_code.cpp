#include "limits/edge_code.hpp"

#include "limits/background.hpp"

namespace vsim::limits::edge_code {

Verdict refused(const CodeRefused& told, std::string_view route, std::string_view file) {
  Verdict v;
  v.code = Code::sim_code_from_strings;
  v.enforced = told.failed;
  v.limit = "no code from strings on the edge runtime";
  v.measured = told.what.empty() ? "code from a string" : told.what;
  if (!told.at.empty()) v.measured.append(" at ").append(told.at);
  v.measured += told.failed ? ", which threw, and the function failed"
                            : ", which threw; the function went on and answered";
  v.route = told.middleware ? background::kMiddleware : route;
  if (!told.at.empty())
    v.file = told.at;
  else if (!told.middleware)
    v.file = file;
  return v;
}

}  // namespace vsim::limits::edge_code
