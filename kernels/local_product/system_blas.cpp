#include "kernels/local_product/system_blas.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>

#include "kernels/local_product/code_path.hpp"
#include "kernels/local_product/shapes.hpp"
#include "kernels/local_product/simd_product.hpp"

namespace duet {
namespace {

/// cblas_dgemm or cblas_sgemm with 32-bit integers: order, transposes, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc.
template <class Element>
using Gemm = void (*)(int, int, int, int, int, int, Element, const Element*, int, const Element*, int, Element,
                      Element*, int);
constexpr int row_major = 101;
constexpr int not_transposed = 111;

/// A variable of the environment that is set while this lives, unless the user has set it. The libraries offer no other
/// way to choose a code path.
class EnvironmentWhileLoading {
 public:
  EnvironmentWhileLoading(const char* name, const char* value) : name_{name} {
    if (value == nullptr || std::getenv(name) != nullptr) return;
    set_ = ::setenv(name, value, 0) == 0;
  }
  EnvironmentWhileLoading(const EnvironmentWhileLoading&) = delete;
  ~EnvironmentWhileLoading() {
    if (set_) ::unsetenv(name_);
  }

 private:
  const char* name_;
  bool set_ = false;
};

/// The first of `files` that loads, or null. Never closed: kernels point into it until the program ends.
void* load(std::span<const char* const> files, std::string& where) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int mode = RTLD_NOW | RTLD_LOCAL;  // the sanitizers must come before all
#else
  constexpr int mode = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif
  for (const char* file : files) {
    if (void* const library = ::dlopen(file, mode); library != nullptr) {
      where = file;
      return library;
    }
    where += (where.empty() ? "" : ", ") + std::string{file};
  }
  return nullptr;
}

/// The function `name`, or null.
template <class Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));  // NOLINT: what dlsym is for
}

template <class Element>
void multiply_by(Gemm<Element> gemm, const MatrixView<const Element>& a, const MatrixView<const Element>& b,
                 const MatrixView<Element>& c, Update update) {
  check_shapes(a, b, c);
  const std::int64_t largest = std::max({a.rows, a.columns, b.columns, a.stride, b.stride, c.stride});
  // Beyond 32-bit integers these libraries cannot be asked, and without k some read B's address.
  if (c.empty() || a.columns == 0 || largest > std::numeric_limits<int>::max()) {
    simd_kernel().of<Element>()(a, b, c, update);
    return;
  }
  const auto whole = [](std::int64_t value) { return static_cast<int>(value); };
  gemm(row_major, not_transposed, not_transposed, whole(c.rows), whole(c.columns), whole(a.columns), Element{1}, a.data,
       whole(a.stride), b.data, whole(b.stride), Element{update == Update::add ? 1.0F : 0.0F}, c.data, whole(c.stride));
}

struct LoadedBlas {
  SystemBlas found;
  Gemm<double> dgemm = nullptr;
  Gemm<float> sgemm = nullptr;

  template <class Element>
  [[nodiscard]] Gemm<Element> gemm() const {
    if constexpr (std::is_same_v<Element, double>) {
      return dgemm;
    } else {
      return sgemm;
    }
  }
};

const LoadedBlas& loaded_openblas();
const LoadedBlas& loaded_blis();

template <class Element>
void multiply_by_openblas(const MatrixView<const Element>& a, const MatrixView<const Element>& b,
                          const MatrixView<Element>& c, Update update) {
  multiply_by(loaded_openblas().gemm<Element>(), a, b, c, update);
}

template <class Element>
void multiply_by_blis(const MatrixView<const Element>& a, const MatrixView<const Element>& b,
                      const MatrixView<Element>& c, Update update) {
  multiply_by(loaded_blis().gemm<Element>(), a, b, c, update);
}

/// OpenBLAS's name for what this processor can run, or null to leave the choice to it.
const char* openblas_core() {
  switch (widest_vectors()) {
    case VectorSet::avx512:
      return "SkylakeX";
    case VectorSet::avx2:
      return "Haswell";
    case VectorSet::avx:
      return "Sandybridge";
    default:
      return nullptr;
  }
}

LoadedBlas load_openblas() {
  static constexpr std::array files{
      DUET_LIBRARY_FOLDER "/openblas-pthread/libopenblas.so.0",
      DUET_LIBRARY_FOLDER "/openblas-pthread/libblas.so.3",
  };
  LoadedBlas loaded;
  loaded.found.kernel.library = "openblas";
  // Not the serial build: its buffers are not locked, and calls from several threads at once now and then give wrong
  // products (0.3.21: 2 of 24,000 at n = 128 on 3 threads). The threaded build locks them, and told that it has one
  // thread it starts none.
  const EnvironmentWhileLoading threads{"OPENBLAS_NUM_THREADS", "1"};
  const EnvironmentWhileLoading core{"OPENBLAS_CORETYPE", openblas_core()};
  void* const library = load(files, loaded.found.where);
  if (library == nullptr) return loaded;
  const auto dgemm = symbol<Gemm<double>>(library, "cblas_dgemm");
  const auto sgemm = symbol<Gemm<float>>(library, "cblas_sgemm");
  const auto core_name = symbol<const char* (*)()>(library, "openblas_get_corename");
  const auto configuration = symbol<const char* (*)()>(library, "openblas_get_config");
  const auto threads_of = symbol<int (*)()>(library, "openblas_get_num_threads");
  const auto set_threads = symbol<void (*)(int)>(library, "openblas_set_num_threads");
  if (set_threads != nullptr) set_threads(1);  // the user's OPENBLAS_NUM_THREADS is for others
  if (dgemm == nullptr || sgemm == nullptr || core_name == nullptr || configuration == nullptr ||
      threads_of == nullptr || threads_of() != 1) {
    return loaded;
  }
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  std::string_view version{configuration()};
  version.remove_prefix(std::min(version.find(' ') + 1, version.size()));
  version = version.substr(0, version.find(' '));
  loaded.dgemm = dgemm;
  loaded.sgemm = sgemm;
  loaded.found.kernel = {"openblas " + std::string{version}, core_name(), multiply_by_openblas<double>,
                         multiply_by_openblas<float>};
  loaded.found.warning =
      warning_of(loaded.found.kernel.library, loaded.found.kernel.code_path,
                 std::getenv("OPENBLAS_CORETYPE") == nullptr ? "it does not know this processor"
                                                             : "unset OPENBLAS_CORETYPE to let the processor decide");
  return loaded;
}

LoadedBlas load_blis() {
  static constexpr std::array files{DUET_LIBRARY_FOLDER "/blis-serial/libblis.so.4"};
  LoadedBlas loaded;
  loaded.found.kernel.library = "blis-serial";
  void* const library = load(files, loaded.found.where);
  if (library == nullptr) return loaded;
  const auto dgemm = symbol<Gemm<double>>(library, "cblas_dgemm");
  const auto sgemm = symbol<Gemm<float>>(library, "cblas_sgemm");
  const auto version = symbol<const char* (*)()>(library, "bli_info_get_version_str");
  const auto threading = symbol<std::int64_t (*)()>(library, "bli_info_get_enable_threading");
  const auto initialise = symbol<void (*)()>(library, "bli_init");
  const auto architecture = symbol<int (*)()>(library, "bli_arch_query_id");
  const auto architecture_name = symbol<const char* (*)(int)>(library, "bli_arch_string");
  if (dgemm == nullptr || sgemm == nullptr || version == nullptr || threading == nullptr || initialise == nullptr ||
      architecture == nullptr || architecture_name == nullptr || threading() != 0) {
    return loaded;
  }
  // A number that the library was not built for ends the program; 0 is "skx" in release 0.9.0. Where AVX2 is as fast,
  // BLIS's own choice is.
  const std::string release{version()};
  const bool number_known = release == "0.9.0" && std::string_view{architecture_name(0)} == "skx";
  const EnvironmentWhileLoading type{"BLIS_ARCH_TYPE",
                                     number_known && full_rate_vectors() == VectorSet::avx512 ? "0" : nullptr};
  initialise();                                                     // registers what the variable may name
  const char* const code_path = architecture_name(architecture());  // reads the variable, once
  loaded.dgemm = dgemm;
  loaded.sgemm = sgemm;
  loaded.found.kernel = {"blis-serial " + release, code_path, multiply_by_blis<double>, multiply_by_blis<float>};
  loaded.found.warning =
      warning_of(loaded.found.kernel.library, code_path,
                 std::getenv("BLIS_ARCH_TYPE") == nullptr ? "it does not know this processor"
                                                          : "unset BLIS_ARCH_TYPE to let the processor decide");
  return loaded;
}

const LoadedBlas& loaded_openblas() {
  static const LoadedBlas loaded = load_openblas();
  return loaded;
}

const LoadedBlas& loaded_blis() {
  static const LoadedBlas loaded = load_blis();
  return loaded;
}

}  // namespace

const SystemBlas& openblas_library() { return loaded_openblas().found; }
const SystemBlas& blis_library() { return loaded_blis().found; }

}  // namespace duet
