#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "kernels/core/execution_in.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/core/tbb_team.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "kernels/pipeline/matrix_stream/stages.hpp"
#include "kernels/pipeline/matrix_stream/stream_files.hpp"
#include "kernels/product/agreed_kernel.hpp"

namespace duet {
namespace {

struct Place {
  Place(const StreamQuestion& question, Model with, const Execution& on)
      : model{with},
        execution{execution_in(with, on)},
        files{question, execution.threads},
        stream{files.stream()},
        plan{plan_matrix_stream(stream, with, execution)},
        team{with == Model::tbb ? std::make_unique<TbbTeam>(execution) : nullptr} {}

  void execute() {
    figures = model == Model::tbb ? matrix_stream_tbb(stream, plan, execution, *team)
                                  : matrix_stream(stream, plan, model, execution);
  }

  Model model;
  Execution execution;
  StreamFiles files;
  MatrixStream stream;
  MatrixStreamPlan plan;
  std::unique_ptr<TbbTeam> team;
  StreamFigures figures;
};

Placed place_for_harness(Model model, const Instance& instance, const Execution& execution) {
  const auto place = std::make_shared<Place>(StreamQuestion::of(instance), model, execution);
  Placed bound;
  bound.reset = [place] { place->files.clear(); };
  bound.execute = [place] { place->execute(); };
  bound.verify = [place, seed = instance.seed] { return place->files.judge(seed, place->execution.communicator); };
  bound.digest = [place] { return place->files.digest(place->execution.communicator); };
  bound.stages = [place] { return place->figures; };
  bound.facts["codec"] = name_of(place->files.question().codec);
  if (place->files.question().on_disk) {
    bound.facts["disk"] = place->files.read_past_cache() ? "read past the page cache" : "read through the page cache";
  }
  if (place->files.question().multiplies) {
    bound.facts["local_kernel"] = place->plan.kernel->library;
    bound.facts["code_path"] = place->plan.kernel->code_path;
  }
  if (passes_messages(model)) bound.facts["mapping"] = place->plan.mapping;
  return bound;
}

Work work_of(const Instance& instance) {
  const StreamQuestion question = StreamQuestion::of(instance);
  const auto files = static_cast<double>(question.files);
  const auto n = static_cast<double>(question.order);
  const double bytes = files * static_cast<double>(question.matrix_bytes());
  if (!question.multiplies) return {.operations = bytes, .unit = "byte", .compulsory_bytes = bytes};
  return {.operations = files * 2 * n * n * n, .unit = "flop", .compulsory_bytes = 2 * bytes};
}

double memory_of(const Instance& instance, Model model, int ranks, int threads) {
  const StreamQuestion question = StreamQuestion::of(instance);
  const auto matrix = static_cast<double>(question.matrix_bytes());
  const int processes = passes_messages(model) ? ranks : 1;
  // An item has two buffers, which may have grown to half as much again; the codecs have some MB of tables a thread.
  constexpr double codec = 10e6;
  constexpr double product_buffers = 6.5e6;
  const double tokens = StreamLimits{}.tokens_for(threads) * 2 * 1.5 * (matrix + 8192);
  const double each = 2 * matrix + tokens + (threads + 2) * (codec + product_buffers + 2 * matrix) +
                      160 * static_cast<double>(question.files);
  return processes * each + 1e6;
}

}  // namespace

StreamFigures matrix_stream(const MatrixStream& stream, const MatrixStreamPlan& plan, Model model,
                            const Execution& execution) {
  switch (model) {
    case Model::serial:
      return matrix_stream_serial(stream, plan, execution);
    case Model::openmp:
      return matrix_stream_openmp(stream, plan, execution);
    case Model::tbb: {
      if (!execution.on_worker_start) {
        return matrix_stream_tbb(stream, plan, execution, TbbTeam::kept(execution.threads));
      }
      TbbTeam team{execution};
      return matrix_stream_tbb(stream, plan, execution, team);
    }
    case Model::mpi:
      return matrix_stream_mpi(stream, plan, execution);
    case Model::hybrid:
      return matrix_stream_hybrid(stream, plan, execution);
  }
  return {};
}

StreamFigures matrix_stream(const MatrixStream& stream, Model model, const Execution& execution) {
  return matrix_stream(stream, plan_matrix_stream(stream, model, execution), model, execution);
}

std::vector<Setting> matrix_stream_tunables(Model model) {
  std::vector<Setting> tunables{local_kernel_setting()};
  constexpr std::int64_t most_threads = 200;
  if (model != Model::serial) {
    tunables.push_back({.name = "tokens",
                        .preset = "0",
                        .meaning = "files under way at once in a process; 0: four a worker and four more",
                        .most = 1'000'000});
    tunables.push_back({.name = "readers", .preset = "1", .meaning = "threads that read ahead", .most = most_threads});
    tunables.push_back(
        {.name = "writers", .preset = "1", .meaning = "threads that write behind", .most = most_threads});
  }
  if (passes_messages(model)) {
    tunables.push_back({.name = "mapping",
                        .preset = "farm",
                        .meaning = "whole files to ranks, or ranks as stages",
                        .choices = {"farm", "stages"}});
  }
  return tunables;
}

Problem matrix_stream_problem() {
  Problem problem;
  problem.name = "matrix_stream";
  problem.pattern = Pattern::pipeline;
  problem.workload = Workload::matrix;
  problem.summary = "C = A B for a stream of files";
  problem.extent_names = {"files"};
  problem.largest_extent = 10'000'000;
  problem.parameters = {
      {.name = "order", .preset = "128", .meaning = "rows and columns of each matrix", .most = 65'536},
      {.name = "codec",
       .preset = "zstd",
       .meaning = "what files are compressed with, in and out",
       .choices = {"none", "gzip", "bzip2", "zstd"}},
      {.name = "work",
       .preset = "multiply",
       .meaning = "the whole stream, or reading and decompressing alone",
       .choices = {"multiply", "decompress"}},
      {.name = "storage",
       .preset = "memory",
       .meaning = "where files lie: in the page cache, or on the disk",
       .choices = {"memory", "disk"}},
  };
  problem.sizes = {4, 16, 64};
  problem.work = work_of;
  problem.memory = memory_of;
  problem.variants = variants_of_all_models(matrix_stream_tunables, place_for_harness);
  return problem;
}

}  // namespace duet
