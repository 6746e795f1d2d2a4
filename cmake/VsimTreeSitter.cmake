# The parser of JavaScript and TypeScript: tree-sitter and its tsx and typescript grammars, both from npm, which ships their C sources, and compiled
# in. Not Debian 12's library (0.20.7): it counts a node's children with 16 bits, so that a file of 65,536 unclosed brackets corrupts its
# memory, and cannot be interrupted. npm checks the archives' integrity against the registry; nothing is run from them.
set(VSIM_TREE_SITTER_VERSION 0.25.0)
set(VSIM_TS_VERSION 0.23.2)
function(vsim_npm_source name version file out)
  set(dir ${CMAKE_BINARY_DIR}/_deps/${name}-${version})
  if(NOT EXISTS ${dir}/package/${file})
    find_program(VSIM_NPM npm REQUIRED)
    file(MAKE_DIRECTORY ${dir})
    message(STATUS "Fetching ${name} ${version} from npm")
    execute_process(COMMAND ${VSIM_NPM} pack --silent ${name}@${version} WORKING_DIRECTORY ${dir}
                    RESULT_VARIABLE rc OUTPUT_VARIABLE printed ERROR_VARIABLE error)
    if(NOT rc EQUAL 0)
      message(FATAL_ERROR "npm pack ${name}@${version} failed (is the npm registry reachable?)\n${printed}${error}")
    endif()
    file(ARCHIVE_EXTRACT INPUT ${dir}/${name}-${version}.tgz DESTINATION ${dir})
  endif()
  set(${out} ${dir}/package PARENT_SCOPE)
endfunction()
vsim_npm_source(tree-sitter ${VSIM_TREE_SITTER_VERSION} vendor/tree-sitter/lib/src/lib.c VSIM_TREE_SITTER)
vsim_npm_source(tree-sitter-typescript ${VSIM_TS_VERSION} tsx/src/parser.c VSIM_GRAMMARS)
add_library(vsim_tree_sitter STATIC
  ${VSIM_GRAMMARS}/tsx/src/parser.c ${VSIM_GRAMMARS}/tsx/src/scanner.c
  ${VSIM_GRAMMARS}/typescript/src/parser.c ${VSIM_GRAMMARS}/typescript/src/scanner.c
  ${VSIM_TREE_SITTER}/vendor/tree-sitter/lib/src/lib.c)
target_include_directories(vsim_tree_sitter SYSTEM PUBLIC ${VSIM_TREE_SITTER}/vendor/tree-sitter/lib/include)
target_include_directories(vsim_tree_sitter PRIVATE ${VSIM_TREE_SITTER}/vendor/tree-sitter/lib/src ${VSIM_GRAMMARS}/tsx/src)
target_compile_definitions(vsim_tree_sitter PRIVATE _DEFAULT_SOURCE)
# Not ours to mend: under sanitizers its memory is watched, undefined behaviour of its arithmetic is not.
target_compile_options(vsim_tree_sitter PRIVATE -w -O1)
if(VSIM_SANITIZE)
  target_compile_options(vsim_tree_sitter PRIVATE -fno-sanitize=undefined)
endif()
