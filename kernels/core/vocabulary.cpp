#include "kernels/core/vocabulary.hpp"

namespace duet {

std::string_view name_of(Pattern pattern) {
  switch (pattern) {
    case Pattern::divide_and_conquer:
      return "divide_and_conquer";
    case Pattern::data_decomposition:
      return "data_decomposition";
    case Pattern::pipeline:
      return "pipeline";
    case Pattern::mapping:
      return "mapping";
  }
  return "?";
}

std::string_view name_of(Workload workload) { return workload == Workload::matrix ? "matrix" : "fibonacci"; }

std::string_view name_of(Model model) {
  switch (model) {
    case Model::serial:
      return "serial";
    case Model::openmp:
      return "openmp";
    case Model::tbb:
      return "tbb";
    case Model::mpi:
      return "mpi";
    case Model::hybrid:
      return "hybrid";
  }
  return "?";
}

std::optional<Model> model_called(std::string_view name) {
  for (const Model model : all_models) {
    if (name_of(model) == name) return model;
  }
  return std::nullopt;
}

}  // namespace duet
