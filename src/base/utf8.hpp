// Code points as UTF-8 (RFC 3629). Pure.
#pragma once

#include <boost/locale/utf.hpp>

#include <cstdint>
#include <iterator>
#include <string>

namespace vsim {

// `c`: up to 0x10FFFF; what stands for no character, as half a pair of surrogates, is written as it is.
inline void append_utf8(std::string& out, std::uint32_t c) {
  boost::locale::utf::utf_traits<char>::encode(c, std::back_inserter(out));
}

}  // namespace vsim
