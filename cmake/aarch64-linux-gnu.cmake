# Cross-compiles for linux-arm64 with Debian's g++-12-aarch64-linux-gnu; VSIM_SYSROOT is what packaging/arm64-sysroot.sh filled.
#   cmake -B build-arm64 -G Ninja --toolchain cmake/aarch64-linux-gnu.cmake -DVSIM_SYSROOT=… -DVSIM_STATIC=ON -DVSIM_TESTS=OFF
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc-12)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++-12)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(VSIM_SYSROOT "" CACHE PATH "The arm64 development packages, unpacked")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VSIM_SYSROOT)
if(NOT IS_DIRECTORY "${VSIM_SYSROOT}/usr/lib/aarch64-linux-gnu")
  message(FATAL_ERROR "VSIM_SYSROOT: run packaging/arm64-sysroot.sh DIR and name that directory")
endif()
# Only searched, not a --sysroot: the headers of the C library and all of the C++ library are the cross compiler's.
set(CMAKE_FIND_ROOT_PATH ${VSIM_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Before the directory of the cross compiler's own libc. Static in any case: libc.so there is a script that names paths of this machine.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static-pie -L${VSIM_SYSROOT}/usr/lib/aarch64-linux-gnu")
# Debian keeps opensslconf.h and its like below include/<architecture>.
include_directories(SYSTEM ${VSIM_SYSROOT}/usr/include/aarch64-linux-gnu)
