// What the values of options mean: each reads one and keeps it where the option's row in option_table.cpp
// says. false: not what is expected. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/options.hpp"

namespace vsim::cli {

bool set_text(std::string& out, std::string_view text);
bool set_setting(RunOptions&, std::string_view text);
bool set_time_scale(RunOptions&, std::string_view text);
bool set_host(RunOptions&, std::string_view text);
bool set_allowed_hosts(RunOptions&, std::string_view text);
bool set_isolation(RunOptions&, std::string_view text);
// One of two words for a key of the profile that is on or off.
bool set_word(RunOptions&, std::string_view text, std::string_view key, std::string_view on,
              std::string_view off);
bool set_placement(RunOptions&, std::string_view text);
bool set_upstream(RunOptions&, std::string_view text);
bool set_otlp(RunOptions&, std::string_view text);
// At least `least`, and an end.
bool set_duration(Duration& out, std::string_view text, Duration least);
bool set_profiles(ReplayOptions&, std::string_view text);
bool set_format(CheckOptions&, std::string_view text);
bool set_fail_on(TestOptions&, std::string_view text);

}  // namespace vsim::cli
