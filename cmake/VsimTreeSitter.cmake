# The parser of JavaScript and TypeScript: Debian's tree-sitter library with the tsx and typescript grammars of the npm
# package tree-sitter-typescript. 0.23.2 is the last one whose generated C has grammar ABI 14, the newest that Debian 12's library
# (0.20.7) reads. npm checks the archive's integrity against the registry; nothing is run from it.
set(VSIM_TS_VERSION 0.23.2)
set(VSIM_TS_DIR ${CMAKE_BINARY_DIR}/_deps/tree-sitter-typescript-${VSIM_TS_VERSION})
if(NOT EXISTS ${VSIM_TS_DIR}/package/tsx/src/parser.c)
  find_program(VSIM_NPM npm REQUIRED)
  file(MAKE_DIRECTORY ${VSIM_TS_DIR})
  message(STATUS "Fetching tree-sitter-typescript ${VSIM_TS_VERSION} from npm")
  execute_process(COMMAND ${VSIM_NPM} pack --silent tree-sitter-typescript@${VSIM_TS_VERSION}
                  WORKING_DIRECTORY ${VSIM_TS_DIR} RESULT_VARIABLE rc OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT rc EQUAL 0)
    message(FATAL_ERROR "npm pack tree-sitter-typescript@${VSIM_TS_VERSION} failed (is the npm registry reachable?)\n${out}${err}")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${VSIM_TS_DIR}/tree-sitter-typescript-${VSIM_TS_VERSION}.tgz DESTINATION ${VSIM_TS_DIR})
endif()
find_path(VSIM_TREE_SITTER_INCLUDE tree_sitter/api.h REQUIRED)
find_library(VSIM_TREE_SITTER_LIB tree-sitter REQUIRED)
add_library(vsim_tree_sitter STATIC
  ${VSIM_TS_DIR}/package/tsx/src/parser.c ${VSIM_TS_DIR}/package/tsx/src/scanner.c
  ${VSIM_TS_DIR}/package/typescript/src/parser.c ${VSIM_TS_DIR}/package/typescript/src/scanner.c)
target_include_directories(vsim_tree_sitter PUBLIC ${VSIM_TREE_SITTER_INCLUDE} PRIVATE ${VSIM_TS_DIR}/package/tsx/src)
target_link_libraries(vsim_tree_sitter PUBLIC ${VSIM_TREE_SITTER_LIB})
target_compile_options(vsim_tree_sitter PRIVATE -w -O1)
