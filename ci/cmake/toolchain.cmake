# Warnings, linker and compiler cache: everything about how the code is compiled that is not the code.
add_library(pgrehearse_warnings INTERFACE)
target_compile_options(pgrehearse_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual
  # Members that a designated initializer leaves out have default initializers by house rule.
  -Wno-missing-field-initializers)
# GCC 12 takes std::string's own code for an overrun when it optimises (GCC bugs 105329, 105562, 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(pgrehearse_warnings INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

# A precaution: GCC 12 was seen to crash or to use all memory when it read one of its own precompiled headers. Their
# content depends on memory addresses, so address randomization is disabled where that is allowed.
find_program(SETARCH setarch)
if(SETARCH)
  execute_process(COMMAND ${SETARCH} -R true RESULT_VARIABLE setarch_result ERROR_QUIET)
  if(setarch_result EQUAL 0)
    set(PGREHEARSE_FIXED_ADDRESSES ${SETARCH} -R)
  endif()
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are cached only with these sloppiness settings (ccache's manual).
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PGREHEARSE_FIXED_ADDRESSES} ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
elseif(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PGREHEARSE_FIXED_ADDRESSES})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
# Headers that most files need; compiled once.
set(PGREHEARSE_COMMON_HEADERS
  <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <span> <stop_token>
  <string> <string_view> <variant> <vector> <fmt/format.h>)
# pgrehearse_precompile(TARGET [HEADER...]): precompiled headers of its own.
function(pgrehearse_precompile target)
  if(PGREHEARSE_PRECOMPILED)
    target_precompile_headers(${target} PRIVATE ${PGREHEARSE_COMMON_HEADERS} ${ARGN})
  endif()
endfunction()
# Uses those of another target with the same compile options and definitions.
function(pgrehearse_precompiled_by owner target)
  if(PGREHEARSE_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()
