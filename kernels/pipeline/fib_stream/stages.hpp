#pragma once

/// What the stages of fib_stream do with a chunk.

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kernels/arithmetic/fibonacci_decimals.hpp"
#include "kernels/arithmetic/fibonacci_residue.hpp"
#include "kernels/arithmetic/fibonacci_text_check.hpp"
#include "kernels/arithmetic/primes.hpp"
#include "kernels/arithmetic/transform/transform.hpp"
#include "kernels/pipeline/fib_stream/chunk.hpp"
#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

/// Contexts that nobody uses now: as many as were ever used at once.
class ContextPool {
 public:
  using Context = std::unique_ptr<TransformContext>;
  [[nodiscard]] Context take();
  void give_back(Context context);

 private:
  std::mutex mutex_;
  std::vector<Context> free_;
};

enum class Waiting { blocking, threads, asynchronous };

class FibStages {
 public:
  FibStages(const FibStream& asked, Waiting waiting);
  FibStages(const FibStages&) = delete;
  FibStages& operator=(const FibStages&) = delete;

  [[nodiscard]] const Stream& stream() const { return stream_; }
  [[nodiscard]] const FibStream& asked() const { return asked_; }

  /// What an item of a few numbers takes in each stage, in seconds, and the bytes before the first stage and after
  /// each. Calls neither source nor take, and does not wait.
  struct Sample {
    std::vector<double> seconds;
    std::vector<double> bytes;
  };
  [[nodiscard]] Sample sample();

  /// Source and take as stages: what they did since the last `forget_ends`.
  [[nodiscard]] StageFigures source_figures() const;
  [[nodiscard]] StageFigures take_figures() const;
  void forget_ends() { source_ = take_ = {}; }

 private:
  struct End {
    std::int64_t items = 0;
    std::int64_t bytes = 0;
    std::int64_t nanoseconds = 0;
    std::int64_t queued_nanoseconds = 0;
  };

  void compute(StreamItem& item);
  void compute_exactly(StreamItem& item);
  void compute_modulo(StreamItem& item);
  void write_lines(StreamItem& item) const;
  void digest(StreamItem& item) const;
  void check_lines(StreamItem& item) const;
  [[nodiscard]] StreamStage computing_stage(Waiting waiting);

  FibStream asked_;
  FibonacciDecimals decimals_;
  std::optional<FibonacciModulo> modulo_;
  std::optional<FibonacciByAddition> by_addition_;
  std::optional<FibonacciTextCheck> text_check_;
  ContextPool contexts_;
  End source_;  // both one call at a time
  End take_;
  Stream stream_;
};

}  // namespace duet
