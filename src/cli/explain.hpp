// `vercel-sim explain [CODE | RULE | MESSAGE]`.
#pragma once

#include <string>

namespace vsim::cli {

int explain(const std::string& what, bool json);

}  // namespace vsim::cli
