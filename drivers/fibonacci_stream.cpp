#include "drivers/fibonacci_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "drivers/agreed.hpp"
#include "drivers/command.hpp"
#include "drivers/files/fibonacci_inputs.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/machine.hpp"
#include "drivers/options.hpp"
#include "drivers/stage_table.hpp"
#include "drivers/statistics/text.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/pipeline/fib_stream/chunk.hpp"
#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {
namespace {

/// The lines of a text as chunks of inputs, as they come.
class ArrivingIndices {
 public:
  ArrivingIndices(const FibonacciStreamOptions& options, const Session& session, std::int64_t grain)
      : inputs_{options.inputs}, modulus_{options.modulus}, grain_{grain} {
    workers_ = session.ranks() * session.threads();
    // The text of a larger one does not fit into one message.
    constexpr std::uint64_t largest_in_message = 10'000'000'000;
    largest_ = session.ranks() > 1 ? largest_in_message : largest_fibonacci_index;
  }

  [[nodiscard]] bool ready() { return stopped_ || inputs_.ready(); }
  /// For another thread: nobody wants more.
  void stop() { stopped_ = true; }

  /// Waits for a line, and takes what has come with it, as far as it goes into a chunk.
  [[nodiscard]] bool next(StreamItem& item) {
    n_.clear();
    marks_.clear();
    double nanoseconds = 0;
    while (!is_full(nanoseconds)) {
      const std::optional<FibonacciIndex> index = next_or_bad();
      if (!index && bad_) {
        n_.push_back(0);
        marks_.push_back(unanswerable_mark);
      } else if (index) {
        n_.push_back(index->magnitude);
        marks_.push_back(index->negative ? minus_mark : 0);
        nanoseconds += fib_stream_nanoseconds(index->magnitude, modulus_);
      } else if (!n_.empty() || inputs_.ended()) {
        break;
      } else {
        // Now and then somebody may have stopped meanwhile.
        constexpr int pause_milliseconds = 50;
        while (!stopped_ && !inputs_.source().wait(pause_milliseconds)) continue;
        if (stopped_) return false;
      }
    }
    if (n_.empty()) return false;
    write_inputs(item, n_, marks_);
    return true;
  }

  [[nodiscard]] std::int64_t bad_lines() const { return bad_lines_; }
  [[nodiscard]] std::int64_t untold_lines() const { return std::max<std::int64_t>(0, bad_lines_ - most_told); }

 private:
  static constexpr std::int64_t most_told = 100;

  [[nodiscard]] bool is_full(double nanoseconds) const {
    const auto count = static_cast<std::int64_t>(n_.size());
    if (grain_ != 0) return count >= grain_;
    return nanoseconds >= fib_stream_chunk_nanoseconds || count >= most_inputs_in_chunk;
  }

  /// The next one that has come; `bad_` where its line cannot be answered.
  std::optional<FibonacciIndex> next_or_bad() {
    bad_ = false;
    try {
      const std::optional<FibonacciIndex> index = inputs_.next_arrived();
      if (index && modulus_ == 0) require_possible(*index);
      return index;
    } catch (const BadLine& error) {
      bad_ = true;
      if (++bad_lines_ <= most_told) fmt::print(stderr, "duet: {}\n", error.what());
      return std::nullopt;
    }
  }

  void require_possible(const FibonacciIndex& index) const {
    // Below, it is nothing.
    constexpr std::uint64_t large = 10'000'000;
    if (index.magnitude < large) return;
    const std::string name = fmt::format("F({}{})", index.negative ? "-" : "", index.magnitude);
    const std::string place = fmt::format("{}: line {}: ", inputs_.source().path(), inputs_.line());
    if (index.magnitude > largest_) {
      if (largest_ == largest_fibonacci_index) {
        throw BadLine{place + too_large_text(name, index.magnitude, 5 * fibonacci_digits(index.magnitude))};
      }
      throw BadLine{fmt::format("{}{} is beyond F({}), the largest that travels from rank to rank in a stream", place,
                                name, largest_)};
    }
    const double tokens = 4.0 * workers_;
    try {
      duet::refuse_without_memory(
          fmt::format("{}{}, with about {:.3g} digits,", place, name, fibonacci_digits(index.magnitude)),
          fib_stream_memory(index.magnitude, tokens, workers_));
    } catch (const UsageError& error) {
      throw BadLine{error.what()};
    }
  }

  FibonacciInputs inputs_;
  std::uint64_t modulus_;
  std::int64_t grain_;
  std::uint64_t largest_ = 0;
  int workers_ = 1;
  std::atomic<bool> stopped_ = false;
  bool bad_ = false;
  std::int64_t bad_lines_ = 0;
  std::vector<std::uint64_t> n_;
  std::vector<unsigned char> marks_;
};

/// What rank 0 reads and writes.
struct Ends {
  Ends(const FibonacciStreamOptions& options, const Session& session, std::int64_t grain)
      : indices{options, session, grain} {}

  void take(const StreamItem& item) {
    try {
      output->append(item.data.text());
    } catch (...) {
      indices.stop();
      throw;
    }
    lines += item.count;
    bytes += static_cast<std::int64_t>(item.data.size());
  }

  ArrivingIndices indices;
  std::unique_ptr<OutputFile> output;
  std::int64_t lines = 0;
  std::int64_t bytes = 0;
};

/// When SIGCONT came last, in seconds of CLOCK_MONOTONIC; 0 for never.
std::atomic<std::int64_t> continued_at{0};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t monotonic_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // async-signal-safe
  return now.tv_sec;
}

/// mpirun that is interrupted first ends the standard input of its ranks and wakes them up by SIGCONT, and only a
/// second later it ends the ranks: what looks like the end of the inputs is none then, and no file may come of it.
class LauncherWatch {
 public:
  LauncherWatch() {
    continued_at = 0;
    struct sigaction action {};
    action.sa_handler = [](int /*signal*/) { continued_at = monotonic_seconds(); };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGCONT, &action, &before_);
  }
  ~LauncherWatch() { ::sigaction(SIGCONT, &before_, nullptr); }
  LauncherWatch(const LauncherWatch&) = delete;
  LauncherWatch& operator=(const LauncherWatch&) = delete;

  /// At the end of the inputs; waits until the signal would have come.
  [[nodiscard]] bool launcher_was_interrupted() const {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    constexpr std::int64_t lately = 2;
    return continued_at != 0 && monotonic_seconds() - continued_at <= lately;
  }

 private:
  struct sigaction before_ {};
};

void say_what_was_streamed(const Ends& ends, const StreamFigures& figures, double seconds, const Session& session) {
  if (ends.indices.untold_lines() > 0) {
    fmt::print(stderr, "duet: and {} more\n", counted(ends.indices.untold_lines(), "line"));
  }
  const std::int64_t numbers = ends.lines - ends.indices.bad_lines();
  const int workers = session.ranks() * session.threads();
  fmt::print(stderr, "{} and {} written in {}: {}\n", counted(numbers, "number"),
             bytes_text(static_cast<double>(ends.bytes)), seconds_text(seconds),
             rate_text(static_cast<double>(numbers) / seconds, "items"));
  fmt::print(stderr, "model {}, {} ({} x {})\n{}", name_of(session.model()), counted(workers, "worker"),
             counted(session.ranks(), "rank"), counted(session.threads(), "thread"),
             stage_table(figures, workers, seconds));
}

}  // namespace

int stream_fibonacci(const FibonacciStreamOptions& options) {
  const Problem problem = fib_stream_problem();
  const Settings tunables = asked([&] {
    return Settings{fmt::format("fibonacci --stream in {}", name_of(options.workers.model)),
                    problem.variant(options.workers.model).tunables, settings_from(options.settings)};
  });
  const Session session{options.workers};
  const MPI_Comm communicator = session.communicator();
  const Execution execution = session.execution(tunables, nullptr);
  std::unique_ptr<Ends> ends;
  asked_together(communicator, [&] {
    if (session.rank() != 0) return;
    ends = std::make_unique<Ends>(options, session, execution.whole_or("grain", 0));
    ends->output = std::make_unique<OutputFile>(options.output);
  });
  constexpr std::uint64_t seed = 0x6475657420;
  const FibStream asked{.next = [&](StreamItem& item) { return ends->indices.next(item); },
                        .ready = [&] { return ends->indices.ready(); },
                        .take = [&](const StreamItem& item) { ends->take(item); },
                        .answers = FibStream::Answers::lines,
                        .modulus = options.modulus,
                        .seed = seed};
  std::optional<LauncherWatch> watch;
  if (options.inputs == "-" && launched().by_launcher) watch.emplace();
  try {
    const auto began = std::chrono::steady_clock::now();
    const StreamFigures figures = fib_stream(asked, session.model(), execution);
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - began;
    if (!ends) return status::right;
    if (watch && watch->launcher_was_interrupted()) {
      fmt::print(stderr, "duet: interrupted: standard input was ended by the launcher\n");
      return status::interrupted;
    }
    ends->output->commit();
    say_what_was_streamed(*ends, figures, lasted.count(), session);
    return ends->indices.bad_lines() == 0 ? status::right : status::not_right;
  } catch (const std::runtime_error& error) {
    // A full disk, a source that breaks off, a number that is wrong: every rank comes here, and what was written of a
    // file is removed.
    if (ends) fmt::print(stderr, "duet: {}\n", error.what());
    return status::not_right;
  }
}

}  // namespace duet
