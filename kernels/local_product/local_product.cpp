#include "kernels/local_product/local_product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/core/thread_clock.hpp"
#include "kernels/local_product/code_path.hpp"
#include "kernels/local_product/eigen_product.hpp"
#include "kernels/local_product/simd_product.hpp"
#include "kernels/local_product/system_blas.hpp"

namespace duet {
namespace {

const LocalKernel& duet_kernel() {
  static const LocalKernel kernel = simd_kernel();
  return kernel;
}

const LocalKernel& eigen_kernel() {
  static const LocalKernel kernel{eigen_version(), eigen_code_path(), multiply_by_eigen, multiply_by_eigen};
  return kernel;
}

/// The product that candidates are compared by: large enough that packing and blocking count as they do in large ones;
/// 1.5 ms at 55 Gflop/s.
constexpr std::int64_t sample_extent = 344;

/// Seconds of one product; time when others had the core does not count against a candidate.
double seconds_of(const LocalKernel& kernel, const Matrix<double>& a, const Matrix<double>& b, Matrix<double>& c) {
  const double start = thread_seconds();
  kernel.multiply(a.view(), b.view(), c.view(), Update::assign);
  return thread_seconds() - start;
}

struct Candidate {
  LocalKernel kernel;
  double best = std::numeric_limits<double>::infinity();  ///< seconds
};

/// The candidates, the one to take first. They take turns, so that a change of the clock or a neighbour meets all, and
/// each is judged by its best turn. Whoever needs three times the best in the first round is out.
std::vector<Candidate> measured() {
  constexpr std::int64_t n = sample_extent;
  constexpr double budget_seconds = 0.045;
  constexpr int most_rounds = 8;
  // Our own is known to the last bit, and other sizes would vote for it: it yields to a clear difference only.
  constexpr double preference = 1.03;

  Matrix<double> a{n, n};
  Matrix<double> b{n, n};
  Matrix<double> c{n, n};
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      a.view()(i, j) = 1.0 / static_cast<double>(i + j + 1);
      b.view()(i, j) = static_cast<double>(i - j) / static_cast<double>(n);
      c.view()(i, j) = 0;
    }
  }
  std::vector<Candidate> candidates;
  for (LocalKernel& kernel : available_local_kernels()) candidates.push_back({std::move(kernel)});
  double spent = 0;
  for (int round = 0; round < most_rounds && spent < budget_seconds; ++round) {
    const double best = std::ranges::min(candidates, {}, &Candidate::best).best;
    for (Candidate& candidate : candidates) {
      if (round > 0 && candidate.best > 3 * best) continue;
      const double seconds = seconds_of(candidate.kernel, a, b, c);
      candidate.best = std::min(candidate.best, seconds);
      spent += seconds;
    }
  }
  std::ranges::stable_sort(candidates, {}, [&](const Candidate& candidate) {
    return candidate.kernel.library == duet_kernel().library ? candidate.best / preference : candidate.best;
  });
  return candidates;
}

struct Choice {
  LocalKernel kernel;
  Calibration calibration;
};

const Choice& automatic() {
  static const Choice choice = [] {
    constexpr auto extent = static_cast<double>(sample_extent);
    const std::vector<Candidate> candidates = measured();
    Choice made{candidates.front().kernel, {}};
    for (const Candidate& candidate : candidates) {
      made.calibration.rates.push_back(
          {candidate.kernel.library, candidate.kernel.code_path, 2 * extent * extent * extent / candidate.best});
    }
    return made;
  }();
  return choice;
}

std::string listed() {
  std::string names = "auto";
  for (const LocalKernel& kernel : available_local_kernels()) {
    const std::string& library = kernel.library;
    names += ", " + library.substr(0, library.find_first_of("- "));
  }
  return names;
}

const LocalKernel& kernel_of(const SystemBlas& blas, std::string_view choice) {
  if (blas.kernel.multiply != nullptr) return blas.kernel;
  throw std::invalid_argument("a usable " + std::string{choice} + " is not installed here (" + blas.where +
                              "); there are " + listed());
}

}  // namespace

const LocalKernel& local_kernel(std::string_view choice) {
  if (choice == "auto") return automatic().kernel;
  if (choice == "duet") return duet_kernel();
  if (choice == "openblas") return kernel_of(openblas_library(), choice);
  if (choice == "blis") return kernel_of(blis_library(), choice);
  if (choice == "eigen") return eigen_kernel();
  throw std::invalid_argument("no local kernel is called '" + std::string{choice} + "'; there are " + listed());
}

std::vector<LocalKernel> available_local_kernels() {
  std::vector<LocalKernel> kernels{duet_kernel()};
  for (const SystemBlas* blas : {&openblas_library(), &blis_library()}) {
    if (blas->kernel.multiply != nullptr) kernels.push_back(blas->kernel);
  }
  kernels.push_back(eigen_kernel());
  return kernels;
}

std::vector<std::string> local_kernel_warnings() {
  std::vector<std::string> lines{
      warning_of(duet_kernel().library, duet_kernel().code_path, "this program was built without newer code"),
      openblas_library().warning,
      blis_library().warning,
  };
  // Eigen is old code by intention; that matters only when nothing faster was found.
  if (automatic().kernel.multiply == eigen_kernel().multiply) {
    lines.push_back(warning_of(eigen_kernel().library, eigen_kernel().code_path, "no faster library was found"));
  }
  std::erase(lines, "");
  return lines;
}

std::string Calibration::text() const {
  const auto rate_of = [](const LocalKernelRate& rate) {
    return std::to_string(std::llround(rate.flops_per_second / 1e9));
  };
  const auto name_of_one = [](const LocalKernelRate& rate) { return rate.library + "/" + rate.code_path; };
  std::string line;
  for (const LocalKernelRate& rate : rates) {
    if (&rate == &rates.front()) {
      line = name_of_one(rate) + " (" + rate_of(rate) + " GF/s";
    } else {
      line += (&rate == &rates[1] ? "; " : ", ") + name_of_one(rate) + " " + rate_of(rate);
    }
  }
  return line.empty() ? line : line + ")";
}

const Calibration& calibration() { return automatic().calibration; }

}  // namespace duet
