// Lines for a terminal of a certain width. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vsim {

// Breaks the lines of `text` that are longer than `width` columns, at spaces only: a word that is longer than
// a line stays whole, so that an address can still be clicked on. What follows stands below where the text of
// its line begins: behind the indentation, or behind the column of names in "    fix     text". Lines that
// the author broke at about 100 columns are joined first. Escape sequences have no width, other characters
// one. `width` 0: nothing is changed.
std::string fit_columns(std::string_view text, std::size_t width);

// Columns that `text` takes: escape sequences none, other characters one.
std::size_t columns(std::string_view text);

// Rows as columns two spaces apart, each line behind `indent`; no space at the end of a line.
std::string in_columns(const std::vector<std::vector<std::string>>& rows, std::string_view indent = {});

}  // namespace vsim
