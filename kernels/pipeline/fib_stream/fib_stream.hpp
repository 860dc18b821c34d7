#pragma once

/// fib_stream: a stream of inputs n_0, n_1, ... through stages, answered in the order in which they came.
///
///     source --> compute  --> decimal --> digest | check --> take
///     n          F(n)         text        a hash | by other   in order
///                or waits                 of it    mathematics
///
/// Input: whatever the source hands out, in chunks of consecutive inputs (chunk.hpp); it may wait for them itself, and
/// what came before is answered meanwhile. Output: `take` gets each chunk once, in order: lines of text, or a hash of
/// each and their bytes. Any number of inputs, any n.
///
/// compute: up to n = 16,383 digits in radix 10^18 from a table (fibonacci_decimals.hpp); beyond it doubling over
/// transforms in a decimal radix (fast_doubling.hpp), so that no number is ever converted. Modulo m by tables of powers
/// of phi (fibonacci_residue.hpp). A worker takes a context with working memory out of a pool, and puts it back.
///
/// Where answers are waited for (`wait_seconds`), somebody else computes: each chunk is one request, whose answer is
/// there after that time, whatever this machine does. Three ways to wait, tunable `waiting`:
///
///     blocking      the worker who asked sleeps until the answer is there
///     threads       `readers` threads ask and sleep, the workers go on
///     asynchronous  one thread asks, another one keeps up to `readers` requests in a queue by the time they are due
///
/// Right in every model, since an item belongs to one stage at a time, and stages have no memory but the context.
///
/// The models differ in how workers meet items (kernels/pipeline/stream/stream.hpp, stream_ranks.hpp). In mpi and
/// hybrid, tunable `mapping`: `farm`, all stages of an item on one rank, so that only inputs and answers travel;
/// `stages`, ranks of their own for each stage, by what stages cost, and digits and texts travel too; `auto`, whichever
/// is sooner done by the cost of each stage, measured with a few numbers, and the bytes that have to move; all ranks
/// agree on it.
///
/// Cost: about 50 ns an input for n below 100, 0.17 us for n = 1000, shared by the workers. Memory: `tokens` chunks of
/// about 100 us of work, or of one number, each twice.
///
/// Errors: std::invalid_argument for tunables, MpiError; what source and `take` throw; std::runtime_error that says
/// what is wrong where a number is found wrong, or that could not be computed: no answer after it is taken.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/arithmetic/fib_inputs.hpp"
#include "kernels/core/execution.hpp"
#include "kernels/core/problem.hpp"
#include "kernels/core/vocabulary.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {

class FibStages;
class TbbTeam;

/// What is asked, and where answers go. Under message passing all ranks have the same but for the closures, of which
/// those of rank 0 are called.
struct FibStream {
  enum class Answers { digests, lines };

  /// The next chunk by `write_inputs`, at least one input; false at the end.
  std::function<bool(StreamItem&)> next;
  /// For a source that waits itself: false where `next` would wait now.
  std::function<bool()> ready{};
  std::function<void(StreamItem&)> take;

  Answers answers = Answers::digests;  ///< lines are checked before they are taken
  std::uint64_t modulus = 0;           ///< m; 0 asks for the exact numbers
  double wait_seconds = 0;             ///< how long each answer is waited for; 0: it is computed
  std::uint64_t largest = UINT64_MAX;  ///< no n is larger
  std::uint64_t seed = 1;              ///< of the primes by which lines are checked
};

/// The stages of one stream, with what workers keep: tables and contexts. Who runs many streams keeps it.
class FibStreamRun {
 public:
  /// Under message passing collective over execution.communicator: stages are mapped to ranks here.
  FibStreamRun(const FibStream& asked, Model model, const Execution& execution);
  FibStreamRun(FibStreamRun&&) noexcept;
  FibStreamRun& operator=(FibStreamRun&&) noexcept;
  ~FibStreamRun();

  [[nodiscard]] const Stream& stream() const;
  [[nodiscard]] const StreamLimits& limits() const { return limits_; }
  /// Under message passing.
  [[nodiscard]] const std::vector<StageGroup>& groups() const { return groups_; }
  /// "farm", or "compute | decimal, digest".
  [[nodiscard]] std::string mapping_text() const;

  /// Before a stream.
  void begin() const;
  /// After it: `measured` and what source and take did, which no runtime sees: the first and the last line.
  [[nodiscard]] StreamFigures with_ends(StreamFigures measured, MPI_Comm communicator) const;

 private:
  std::unique_ptr<FibStages> stages_;
  StreamLimits limits_;
  std::vector<StageGroup> groups_;
};

/// The algorithms. Tunables: waiting, tokens, readers; of mpi and hybrid: mapping.
StreamFigures fib_stream_serial(const FibStreamRun& run, const Execution& execution);
StreamFigures fib_stream_openmp(const FibStreamRun& run, const Execution& execution);
StreamFigures fib_stream_tbb(const FibStreamRun& run, const Execution& execution, TbbTeam& team);
/// Collective over execution.communicator. Every rank gets the figures of all.
StreamFigures fib_stream_mpi(const FibStreamRun& run, const Execution& execution);
StreamFigures fib_stream_hybrid(const FibStreamRun& run, const Execution& execution);

/// By any model.
StreamFigures fib_stream(const FibStream& asked, Model model, const Execution& execution);

/// Estimated time of an input through all stages.
[[nodiscard]] double fib_stream_nanoseconds(std::uint64_t n, std::uint64_t modulus);
/// How much work goes together as one item, where `grain` does not say.
inline constexpr double fib_stream_chunk_nanoseconds = 100e3;
inline constexpr std::int64_t most_inputs_in_chunk = 8'192;

/// Upper estimate of the bytes that all processes of a node need for streams whose largest number is F(n).
[[nodiscard]] double fib_stream_memory(std::uint64_t n, double tokens, double workers);

/// The answers to the inputs of the problem, on rank 0: a hash of each text, in the order of the inputs.
struct FibDigests {
  std::vector<std::uint64_t> of_text;
  std::int64_t bytes = 0;  ///< of all lines
};
/// The hash of a text.
[[nodiscard]] std::uint64_t digest_of_line(std::string_view text);

/// Judges `found`, on rank 0, as the answers to `inputs`. No text is kept while the stream runs, so each is made again,
/// by GMP, of which no stage makes its digits, and judged by other mathematics (`FibonacciTextCheck`); its hash must be
/// the one that was found. `expected`, this rank's share of those hashes, is kept by the caller: a second judgement
/// only compares. Collective over execution.communicator; uses execution.threads threads that it makes and ends. The
/// verdict is the same on every rank and names the first wrong input.
[[nodiscard]] Judgement judge_fib_stream(const FibInputs& inputs, const FibDigests& found,
                                         std::vector<std::uint64_t>& expected, std::uint64_t seed,
                                         const Execution& execution);

/// The problem as the harness sees it. Size: count. Parameters: largest, inputs, work, wait_ms.
[[nodiscard]] Problem fib_stream_problem();

}  // namespace duet
