/// Linked into every executable that is built with AddressSanitizer: its options and what it leaves out. So the tests,
/// the program and whatever starts it need no environment.

#include <dlfcn.h>

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the sanitizers look for these names

/// The leak check crashes over the thread-local memory of libraries that were opened late (4 ranks: 8 runs of 8).
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "intercept_tls_get_addr=0"; }

extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }

/// OpenMPI and what it loads leave some 120 kB behind at MPI_Finalize. A worker of TBB that sleeps when the process
/// ends still holds 40 bytes of the last observer it met. Who allocated is known to the first frame without a frame
/// pointer, which for the texts that OpenMPI prints into memory is the C library's; Duet prints none that way. (The
/// unwinder that gets past such frames takes 17 times as long where much is allocated.)
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libopen-pal\n"
         "leak:libopen-rte\n"
         "leak:libmpi.so\n"
         "leak:libpmix\n"
         "leak:openmpi3/mca_\n"
         "leak:libmca_\n"
         "leak:pmix2/\n"
         "leak:libevent\n"
         "leak:libhwloc\n"
         "leak:libuc\n"
         "leak:libxml2\n"
         "leak:libfabric\n"
         "leak:libpciaccess\n"
         "leak:libOpenCL\n"
         "leak:vasprintf\n"
         "leak:tbb::detail::r1::observe\n";
}

extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }

// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

/// Plugins stay loaded: a leak of an unloaded one would be reported in "<unknown module>", which nothing can leave out.
extern "C" int dlclose(void* /*handle*/) noexcept { return 0; }
