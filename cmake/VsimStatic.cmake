# VSIM_STATIC: every library inside the program, glibc too, so that one file runs on any Linux of its architecture, musl's included.
# Why so, and what is different then: docs/decisions/0006-static-binary.md. Position independent all the same where the compiler makes such programs.
option(VSIM_STATIC "A program that needs no library of the system (uses Debian's static libraries)" OFF)
# The libraries that were found belong to the other kind of build when the option was changed in between.
if(NOT "${VSIM_STATIC}" STREQUAL "${VSIM_STATIC_BEFORE}")
  unset(OPENSSL_CRYPTO_LIBRARY CACHE)
  unset(OPENSSL_SSL_LIBRARY CACHE)
  unset(VSIM_YAML_CPP_LIB CACHE)
endif()
set(VSIM_STATIC_BEFORE "${VSIM_STATIC}" CACHE INTERNAL "")
if(VSIM_STATIC)
  set(Boost_USE_STATIC_LIBS ON)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  # No flag of its own for the objects: they are those of a shared build, only the link differs.
  include(CheckCXXSourceCompiles)
  check_cxx_source_compiles("#ifndef __PIE__\n#error\n#endif\nint main() {}" VSIM_PIE_BY_DEFAULT)
endif()

# Debian's CMake files of these two know the shared library only; the targets here have the names that those files give.
macro(vsim_find_static_packages)
  find_library(VSIM_YAML_CPP_LIB yaml-cpp REQUIRED)
  add_library(yaml-cpp STATIC IMPORTED GLOBAL)
  set_target_properties(yaml-cpp PROPERTIES IMPORTED_LOCATION ${VSIM_YAML_CPP_LIB})
  find_path(VSIM_FMT_INCLUDE fmt/format-inl.h REQUIRED)
  add_library(vsim_fmt STATIC ${CMAKE_SOURCE_DIR}/cmake/fmt.cpp)
  target_include_directories(vsim_fmt SYSTEM PUBLIC ${VSIM_FMT_INCLUDE})
  add_library(fmt::fmt ALIAS vsim_fmt)
endmacro()

function(vsim_static_program target)
  if(VSIM_STATIC)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/static_glibc.cpp)
    target_link_libraries(${target} PRIVATE OpenSSL::Crypto)
    target_link_options(${target} PRIVATE $<IF:$<BOOL:${VSIM_PIE_BY_DEFAULT}>,-static-pie,-static>)
  endif()
endfunction()
