#include "drivers/bench/scalapack.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <mpi.h>

#include <stdexcept>

#include "drivers/bench/mpi_session.hpp"
#include "drivers/placement.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

int small(std::int64_t value) { return static_cast<int>(value); }

}  // namespace

ScaLapack::ScaLapack(std::int64_t rows) : rows_{rows} {
  const int ranks = size_of(MPI_COMM_WORLD);
  if (rows < 1 || ranks % rows != 0) {
    throw std::invalid_argument(fmt::format("a grid of {} rows does not divide {} ranks", rows, ranks));
  }
  columns_ = ranks / rows;
  bind_this_thread(places_for(usable_cores(), rank_in(MPI_COMM_WORLD), 1).front());
  const std::string file = fmt::format("{}/libscalapack-openmpi.so.2.2", DUET_LIBRARY_FOLDER);
  library_ = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library_ == nullptr) throw std::runtime_error(fmt::format("{}: {}", file, ::dlerror()));
  symbol<void (*)(int, int, int*)>("Cblacs_get")(-1, 0, &context_);
  symbol<void (*)(int*, const char*, int, int)>("Cblacs_gridinit")(&context_, "Row", small(rows_), small(columns_));
}

void* ScaLapack::address_of(const char* name) const {
  void* const found = ::dlsym(library_, name);
  if (found == nullptr) throw std::runtime_error(fmt::format("ScaLAPACK has no {}", name));
  return found;
}

std::string ScaLapack::core_name() const {
  const auto name =
      reinterpret_cast<const char* (*)()>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));  // NOLINT: dlsym
  return name == nullptr ? "?" : name();
}

std::array<int, 9> ScaLapack::description(std::int64_t rows, std::int64_t columns, std::int64_t block,
                                          std::int64_t leading) const {
  return {1, context_, small(rows), small(columns), small(block), small(block), 0, 0, small(leading)};
}

void on_scalapack(const PeerOptions& options, std::int64_t unit,
                  const std::function<void(const ScaLapack& library, std::int64_t block)>& act) {
  const std::size_t rows_at = options.name.find('-') + 1;
  const std::size_t block_at = options.name.find('-', rows_at) + 1;
  const std::int64_t rows = std::stoll(options.name.substr(rows_at));
  const std::int64_t block = std::stoll(options.name.substr(block_at));
  const MpiSession session;
  try {
    if (block < 1 || block % unit != 0) {
      throw std::invalid_argument(fmt::format("{}: blocks must be multiples of {}", options.name, unit));
    }
    act(ScaLapack{rows}, block);
  } catch (const std::exception& error) {
    fmt::print(stderr, "duet_bench: {}\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

}  // namespace duet
