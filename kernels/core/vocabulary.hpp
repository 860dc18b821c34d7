#pragma once

/// The words every part of Duet shares: patterns, workloads and models, as types and as text.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace duet {

enum class Pattern { divide_and_conquer, data_decomposition, pipeline, mapping };
enum class Workload { matrix, fibonacci };

/// How the workers of a variant share work: `openmp` and `tbb` share memory, `mpi` passes messages, `hybrid` is MPI
/// ranks with an OpenMP team each, `serial` is one worker and the base that speedups are measured from.
enum class Model { serial, openmp, tbb, mpi, hybrid };

inline constexpr std::array<Model, 5> all_models{Model::serial, Model::openmp, Model::tbb, Model::mpi, Model::hybrid};

[[nodiscard]] std::string_view name_of(Pattern pattern);
[[nodiscard]] std::string_view name_of(Workload workload);
[[nodiscard]] std::string_view name_of(Model model);

/// The model called `name`, or nothing.
[[nodiscard]] std::optional<Model> model_called(std::string_view name);

/// True for the models that need a communicator.
[[nodiscard]] constexpr bool passes_messages(Model model) { return model == Model::mpi || model == Model::hybrid; }

/// True for the models that may run several threads in one process.
[[nodiscard]] constexpr bool runs_threads(Model model) {
  return model == Model::openmp || model == Model::tbb || model == Model::hybrid;
}

}  // namespace duet
