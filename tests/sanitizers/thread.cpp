/// Linked into every executable that is built with ThreadSanitizer: its options and what it leaves out. So the tests,
/// the program and whatever starts it need no environment.
///
/// OpenMP: the objects of GCC run on LLVM's libomp, which speaks GCC's interface, and whose tool libarcher tells
/// ThreadSanitizer what a barrier, a task or a reduction orders. Under GCC's own libgomp correct programs get warnings.
///
/// TBB: Debian's library orders tasks by atomics that ThreadSanitizer does not see, and has no such tool. So a race
/// between two accesses is left out where a frame of TBB is on the stack of either. Variants in TBB run, and their
/// answers are checked, but **their own data races are not found here**.

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the sanitizer looks for these names

/// What happens inside OpenMPI, hwloc or libomp is theirs.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libtbb.so\n"
         "race:oneapi::tbb\n"
         "race:tbb::detail\n";
}

// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
