// What the words of each command ask for, once its options are read: the last columns of command_table.cpp.
// Called by options.cpp. Opens no file.
#pragma once

#include <string_view>

#include "cli/option_table.hpp"

namespace vsim::cli {

using AskedCommand = decltype(Options::command);

void word_of_app(Given&, std::string_view word);  // run and test
void word_of_replay(Given&, std::string_view word);
void word_of_check(Given&, std::string_view word);
void word_of_report(Given&, std::string_view word);

AskedCommand finish_run(Given&);
AskedCommand finish_test(Given&);
AskedCommand finish_replay(Given&);
AskedCommand finish_check(Given&);
AskedCommand finish_profiles(Given&);
AskedCommand finish_explain(Given&);
AskedCommand finish_report(Given&);
AskedCommand finish_doctor(Given&);
AskedCommand finish_completion(Given&);
AskedCommand finish_learn(Given&);
AskedCommand finish_mcp(Given&);
AskedCommand finish_parity(Given&);
AskedCommand finish_help(Given&);

}  // namespace vsim::cli
