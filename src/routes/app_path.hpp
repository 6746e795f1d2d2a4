// The grammar of one app/ path: which segments are groups, slots, interception markers, parameters, and what
// URL pattern is left. Pure; the one place where these rules are written down. They follow next@16.4.6
// shared/lib/router/utils (app-paths, interception-routes, sorted-routes).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vsim::routes {

// The pieces between slashes; empty ones are left out ("/a//b/" has two).
std::vector<std::string_view> split_path(std::string_view path);

bool is_group_segment(std::string_view segment);  // "(shop)"
bool is_slot_segment(std::string_view segment);   // "@modal"
bool is_intercepting_segment(
    std::string_view segment);                       // "(.)photo", "(..)photo", "(..)(..)photo", "(...)photo"
bool is_intercepting_route(std::string_view route);  // any segment is

enum class SegmentKind { literal, dynamic, catch_all, optional_catch_all };
SegmentKind segment_kind(std::string_view segment);

// "/(shop)/@modal/cart/page" -> "/cart". Groups, slots and a last "page" or "route" go; "%5F" becomes "_".
std::string normalize_app_page(std::string_view page);

// The 32-bit djb2 hash in base 36, six digits at most: what Next appends to metadata images inside groups and
// slots.
std::string metadata_suffix(std::string_view parent);

}  // namespace vsim::routes
