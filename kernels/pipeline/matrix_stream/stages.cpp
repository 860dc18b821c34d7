#include "kernels/pipeline/matrix_stream/stages.hpp"

#include <xxhash.h>

#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "kernels/product/agreed_kernel.hpp"
#include "kernels/product/judge.hpp"

namespace duet {
namespace {

/// What is left of an item when its file is written.
struct Record {
  std::uint64_t hash;
  std::int64_t bytes;
};

constexpr std::uint64_t judge_seed = 0x6475657420;

std::uint64_t hash_of_data(const StreamItem& item) { return XXH3_64bits(item.data.data(), item.data.size()); }

struct Factors {
  ConstView a;
  ConstView b;
  ConstView c;
};

OwnedProduct<double> owned_by_one(const Factors& factors) {
  const auto& [a, b, c] = factors;
  const auto all = [](std::int64_t count) { return Runs{.begin = 0, .width = count, .stride = count, .count = 1}; };
  OwnedProduct<double> product;
  product.m = a.rows;
  product.n = b.columns;
  product.k = a.columns;
  product.a = a;
  product.b = b;
  product.c = c;
  product.rows = all(a.rows);
  product.columns = all(b.columns);
  product.a_columns = all(a.columns);
  product.b_rows = all(b.rows);
  return product;
}

void leave(StreamItem& item, const Record& record) {
  item.data.clear();
  item.data.append({reinterpret_cast<const char*>(&record), sizeof record});
}

void multiply(const MatrixStream& stream, const LocalKernel& kernel, StreamItem& item) {
  if (stream.convert && !matrix_in(item.data.text())) stream.convert(item.index, item.data);
  const std::optional<ConstView> a = matrix_in(item.data.text());
  if (!a) throw std::runtime_error("is no .npy of doubles in C order");
  if (a->columns != stream.b.rows) {
    throw std::runtime_error("is " + std::to_string(a->rows) + " x " + std::to_string(a->columns) + ", and " +
                             std::to_string(stream.b.rows) + " columns were expected");
  }
  // The hash of the product stands behind it for a while.
  const View c = make_matrix_in(item.spare, a->rows, stream.b.columns, sizeof Record::hash);
  kernel.multiply(*a, stream.b, c, Update::assign);
  if (stream.verifies) {
    const Judgement judgement =
        judge(owned_by_one({*a, stream.b, c}), judge_seed + static_cast<std::uint64_t>(item.index));
    if (!judgement.right) throw std::runtime_error("the product is wrong: " + judgement.explanation);
  }
  item.data.swap(item.spare);
}

/// Seconds that the first file takes in each stage but the last: it is not written, and compressing counts for it.
/// On rank 0; the other ranks are told. Collective over `ranks`.
std::vector<double> stage_costs(const Stream& stream, std::int64_t count, MPI_Comm ranks) {
  std::vector<double> costs(stream.stages.size());
  if (rank_in(ranks) == 0 && count > 0) {
    StreamItem item;
    try {
      for (std::size_t stage = 0; stage + 1 < stream.stages.size(); ++stage) {
        const auto begin = std::chrono::steady_clock::now();
        stream.stages[stage].act(item);
        costs[stage] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      }
    } catch (const std::exception&) {
      // A file with a fault says little; it is told when its turn comes.
    }
  }
  check(MPI_Bcast(costs.data(), mpi_count(static_cast<std::int64_t>(costs.size())), MPI_DOUBLE, 0, ranks));
  return costs;
}

}  // namespace

Stream stages_of(const MatrixStream& stream, const LocalKernel& kernel) {
  Stream stages;
  stages.next = [&stream](StreamItem& item) { return item.index < stream.count; };
  stages.stages.push_back({.name = "read",
                           .kind = StageKind::disk,
                           .act =
                               [&stream](StreamItem& item) {
                                 item.data.clear();
                                 stream.read(item.index, item.data);
                               },
                           .expect = stream.expect});
  stages.stages.push_back({.name = "decompress", .act = [](StreamItem& item) {
                             if (codec_of(item.data.text()) == Codec::none) return;
                             decompress(item.data.text(), item.spare);
                             item.data.swap(item.spare);
                           }});
  if (!stream.multiplies) {
    stages.stages.push_back(
        {.name = "hash", .act = [](StreamItem& item) { leave(item, {.hash = hash_of_data(item), .bytes = 0}); }});
  } else {
    stages.stages.push_back(
        {.name = "multiply", .act = [&stream, &kernel](StreamItem& item) { multiply(stream, kernel, item); }});
    // The hash is of what was computed, the same whatever the codec; it travels behind the file.
    stages.stages.push_back(
        {.name = stream.codec == Codec::none ? "hash" : "compress", .act = [&stream](StreamItem& item) {
           const std::uint64_t hash = hash_of_data(item);
           if (stream.codec != Codec::none) {
             compress(stream.codec, item.data.text(), item.spare);
             item.data.swap(item.spare);
           }
           item.data.append({reinterpret_cast<const char*>(&hash), sizeof hash});
         }});
    const auto write = [&stream](StreamItem& item) {
      Record record{};
      item.data.resize(item.data.size() - sizeof record.hash);
      std::memcpy(&record.hash, item.data.data() + item.data.size(), sizeof record.hash);
      record.bytes = static_cast<std::int64_t>(item.data.size());
      stream.write(item.index, item.data.text());
      leave(item, record);
    };
    StreamStage last{.name = "write", .kind = StageKind::disk, .act = write};
    if (stream.settle) {
      last.begin = [write](StreamItem& item) {
        write(item);
        return std::chrono::steady_clock::time_point{};
      };
      last.act = [&stream](StreamItem& item) { stream.settle(item.index); };
    }
    stages.stages.push_back(std::move(last));
  }
  stages.take = [&stream](StreamItem& item) {
    StreamedMatrix result{.index = item.index, .fault = item.fault};
    if (result.fault.empty()) {
      Record record{};
      if (item.data.size() != sizeof record) throw std::logic_error("a file without a record came out of its stream");
      std::memcpy(&record, item.data.data(), sizeof record);
      result.hash = record.hash;
      result.bytes = record.bytes;
    }
    stream.take(result);
  };
  return stages;
}

StreamLimits stream_limits(const Execution& execution) {
  return {.tokens = static_cast<int>(execution.whole_or("tokens", 0)),
          .readers = static_cast<int>(execution.whole_or("readers", 1)),
          .writers = static_cast<int>(execution.whole_or("writers", 1))};
}

MatrixStreamPlan plan_matrix_stream(const MatrixStream& stream, Model model, const Execution& execution) {
  const MPI_Comm ranks = passes_messages(model) ? execution.communicator : MPI_COMM_NULL;
  MatrixStreamPlan plan{.kernel = &local_kernel(agreed_kernel(execution.text_or("local_kernel", "auto"), ranks))};
  if (!passes_messages(model)) return plan;
  const Stream stages = stages_of(stream, *plan.kernel);
  plan.groups = execution.text_or("mapping", "farm") == "farm"
                    ? farm(stages.stages.size(), size_of(ranks))
                    : stages_by_cost(stage_costs(stages, stream.count, ranks), size_of(ranks));
  plan.mapping = mapping_text(plan.groups, stages);
  return plan;
}

}  // namespace duet
