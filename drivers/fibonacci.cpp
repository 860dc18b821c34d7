#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/agreed.hpp"
#include "drivers/checkpoint.hpp"
#include "drivers/command.hpp"
#include "drivers/fibonacci_stream.hpp"
#include "drivers/files/fibonacci_inputs.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/files/progress_line.hpp"
#include "drivers/files/team.hpp"
#include "drivers/lap.hpp"
#include "drivers/machine.hpp"
#include "drivers/options.hpp"
#include "drivers/session.hpp"
#include "drivers/sliced_text.hpp"
#include "drivers/statistics/text.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "kernels/mapping/fib_batch/fib_batch.hpp"

namespace duet {
namespace {

struct FibonacciOptions {
  std::string index;
  std::string inputs;
  std::string modulus;
  std::string output = "-";
  std::string checkpoint;
  bool stream = false;
  Workers workers;
  std::vector<std::string> settings;
};
/// A window of the inputs: as many as are answered and written together, the same on all ranks.
struct Window {
  std::vector<std::uint64_t> magnitudes;
  std::vector<char> negative;
  std::int64_t line_of_largest = 0;
  bool last = false;
};

/// All that is asked, window by window; on one rank only.
class Questions {
 public:
  /// One index, or those of a text.
  explicit Questions(FibonacciIndex only) : waiting_{only} {}
  explicit Questions(const std::string& path) : inputs_{std::make_unique<FibonacciInputs>(path)} {
    waiting_ = inputs_->next();
  }

  /// The next inputs, whose answers have about 256 MB of digits where they are exact, or one input with more. Throws
  /// FileError.
  [[nodiscard]] Window next(bool exact) {
    constexpr double most_digits = 256e6;
    const std::size_t most_inputs = exact ? std::size_t{1} << 18U : std::size_t{1} << 21U;
    Window window;
    double digits = 0;
    std::uint64_t largest = 0;
    while (waiting_ && window.magnitudes.size() < most_inputs) {
      if (exact) digits += fibonacci_digits(waiting_->magnitude);
      if (digits > most_digits && !window.magnitudes.empty()) break;
      if (waiting_->magnitude >= largest) {
        largest = waiting_->magnitude;
        window.line_of_largest = inputs_ ? inputs_->line() : 0;
      }
      window.magnitudes.push_back(waiting_->magnitude);
      window.negative.push_back(waiting_->negative ? 1 : 0);
      waiting_ = inputs_ ? inputs_->next() : std::nullopt;
    }
    window.last = !waiting_;
    return window;
  }

  /// How much of a file is read; 0 where nothing is known.
  [[nodiscard]] double share_read() const {
    if (!inputs_ || inputs_->source().file_bytes() == 0) return 0;
    return static_cast<double>(inputs_->source().file_bytes_taken()) /
           static_cast<double>(inputs_->source().file_bytes());
  }

 private:
  std::unique_ptr<FibonacciInputs> inputs_;
  std::optional<FibonacciIndex> waiting_;
};

/// Gives all ranks what rank 0 has.
void share(Window& window, MPI_Comm communicator) {
  if (communicator == MPI_COMM_NULL) return;
  auto count = static_cast<std::int64_t>(window.magnitudes.size());
  std::int64_t facts[] = {count, window.line_of_largest, window.last ? 1 : 0};  // NOLINT(modernize-avoid-c-arrays)
  check(MPI_Bcast(facts, 3, MPI_INT64_T, 0, communicator));
  count = facts[0];
  window.line_of_largest = facts[1];
  window.last = facts[2] != 0;
  window.magnitudes.resize(static_cast<std::size_t>(count));
  window.negative.resize(static_cast<std::size_t>(count));
  check(MPI_Bcast(window.magnitudes.data(), mpi_count(count), MPI_UINT64_T, 0, communicator));
  check(MPI_Bcast(window.negative.data(), mpi_count(count), MPI_CHAR, 0, communicator));
}

/// "F(10)", or "F(n) for 7 inputs".
std::string name_of(const Window& window) {
  if (window.magnitudes.size() != 1)
    return fmt::format("F(n) for {}", counted(static_cast<long long>(window.magnitudes.size()), "input"));
  return fmt::format("F({}{})", window.negative.front() != 0 ? "-" : "", window.magnitudes.front());
}

/// What this rank holds of a window's answers, as lines of text, in the order of the inputs.
struct Lines {
  std::vector<std::int64_t> items;
  std::vector<std::int64_t> bytes;  ///< of each line
  std::string text;
};

class Printer {
 public:
  Printer(const Window& window, std::uint64_t modulus, const RunTeam& team)
      : window_{window}, modulus_{modulus}, team_{team} {}

  [[nodiscard]] Lines lines(const Answers& answers) const {
    return modulus_ == 0 ? exact_lines(answers) : residue_lines(answers);
  }

 private:
  static std::size_t index(std::int64_t item) { return static_cast<std::size_t>(item); }

  /// Whether the answer to F(n), n below 0, is that to F(-n) with a minus.
  [[nodiscard]] bool is_minus(std::int64_t item) const {
    return window_.negative[index(item)] != 0 && fibonacci_is_negative_at_minus(window_.magnitudes[index(item)]);
  }

  /// Decimal digits cost more than the number: the team shares them, the largest first.
  [[nodiscard]] Lines exact_lines(const Answers& answers) const {
    struct Held {
      std::int64_t item = 0;
      const Natural* answer = nullptr;
      std::string text{};
    };
    std::vector<Held> held;
    answers.each_natural([&](std::int64_t item, const Natural& answer) { held.push_back({item, &answer}); });
    std::ranges::sort(held, std::greater{}, [&](const Held& one) { return window_.magnitudes[index(one.item)]; });
    // Large ones singly, the others in groups: handing out a small one costs more than printing it.
    constexpr std::int64_t group = 16;
    const auto count = static_cast<std::int64_t>(held.size());
    const std::int64_t singles = std::min<std::int64_t>(count, 1024);
    team_.each(singles + (count - singles + group - 1) / group, [&](std::int64_t part) {
      const std::int64_t begin = part < singles ? part : singles + (part - singles) * group;
      const std::int64_t end = part < singles ? begin + 1 : std::min(begin + group, count);
      for (std::int64_t i = begin; i < end; ++i) {
        Held& one = held[index(i)];
        one.text = one.answer->decimal();
        if (is_minus(one.item)) one.text.insert(0, 1, '-');
        one.text += '\n';
      }
    });
    std::ranges::sort(held, {}, &Held::item);

    Lines lines;
    std::size_t bytes = 0;
    for (const Held& one : held) {
      lines.items.push_back(one.item);
      lines.bytes.push_back(static_cast<std::int64_t>(one.text.size()));
      bytes += one.text.size();
    }
    if (held.size() == 1) {
      lines.text = std::move(held.front().text);
    } else {
      lines.text.reserve(bytes);
      for (Held& one : held) lines.text += std::exchange(one.text, {});
    }
    return lines;
  }

  [[nodiscard]] Lines residue_lines(const Answers& answers) const {
    const std::size_t count = window_.magnitudes.size();
    std::vector<std::uint64_t> residues(count);
    std::vector<char> is_mine(count);
    answers.each_residue([&](std::int64_t item, std::uint64_t residue) {
      residues[index(item)] = is_minus(item) && residue != 0 ? modulus_ - residue : residue;
      is_mine[index(item)] = 1;
    });
    const auto mine = static_cast<std::size_t>(std::ranges::count(is_mine, 1));
    Lines lines;
    lines.items.reserve(mine);
    lines.bytes.reserve(mine);
    lines.text.reserve(mine * (std::numeric_limits<std::uint64_t>::digits10 + 2));
    for (std::size_t item = 0; item < count; ++item) {
      if (is_mine[item] == 0) continue;
      const fmt::format_int digits{residues[item]};
      lines.text.append(digits.data(), digits.size()).push_back('\n');
      lines.items.push_back(static_cast<std::int64_t>(item));
      lines.bytes.push_back(static_cast<std::int64_t>(digits.size()) + 1);
    }
    return lines;
  }

  const Window& window_;
  std::uint64_t modulus_;
  const RunTeam& team_;
};

/// Where the lines stand in the text of a window of `count` answers, lines that follow each other as one piece, and the
/// bytes of that text. Collective.
struct Places {
  std::vector<Piece> pieces;
  std::int64_t bytes = 0;
};
Places places_of(const Lines& mine, std::size_t count, MPI_Comm communicator) {
  Places places;
  if (communicator == MPI_COMM_NULL) {
    places.bytes = static_cast<std::int64_t>(mine.text.size());
    places.pieces.push_back({0, places.bytes});
    return places;
  }
  std::vector<std::int64_t> ends(count);
  for (std::size_t i = 0; i < mine.items.size(); ++i) ends[static_cast<std::size_t>(mine.items[i])] = mine.bytes[i];
  check(MPI_Allreduce(MPI_IN_PLACE, ends.data(), mpi_count(static_cast<std::int64_t>(count)), MPI_INT64_T, MPI_SUM,
                      communicator));
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  places.bytes = ends.back();
  for (std::size_t i = 0; i < mine.items.size(); ++i) {
    const std::int64_t offset = ends[static_cast<std::size_t>(mine.items[i])] - mine.bytes[i];
    if (!places.pieces.empty() && places.pieces.back().offset + places.pieces.back().bytes == offset) {
      places.pieces.back().bytes += mine.bytes[i];
    } else {
      places.pieces.push_back({offset, mine.bytes[i]});
    }
  }
  return places;
}

/// Throws where the answers to `window` need more memory than there is: UsageError for one number asked on the command
/// line, FileError for a line of a text. The same on all ranks.
void refuse_without_memory(const Window& window, const FibBatch& batch, const Session& session,
                           const std::string& inputs) {
  const std::uint64_t largest = batch.inputs.largest();
  const auto count = batch.inputs.count();
  // Where there are fewer inputs than workers, the others need nothing.
  const int ranks = static_cast<int>(std::min<std::int64_t>(session.node_ranks(), count));
  const int threads = static_cast<int>(std::min<std::int64_t>(session.threads(), count));
  // The digits are there twice while they are put in order.
  const double texts = batch.exact() ? 2 * 2.41 * fib_batch_answer_bytes(batch) : 50 * static_cast<double>(count);
  const double bytes = fib_batch_memory(batch, session.model(), ranks, threads) + texts;
  const std::string place = inputs.empty() ? "" : fmt::format("{}: line {}: ", inputs, window.line_of_largest);
  const auto question = [&] {
    if (batch.exact() && largest > largest_fibonacci_index) {
      throw UsageError(place + too_large_text(fmt::format("F({})", largest), largest, bytes));
    }
    duet::refuse_without_memory(
        fmt::format("{}F({}), with about {:.3g} digits,", place, largest, fibonacci_digits(largest)), bytes);
  };
  if (inputs.empty()) {
    asked_together(session.communicator(), question);
  } else {
    together(session.communicator(), [&] {
      try {
        question();
      } catch (const UsageError& error) {
        throw FileError{error.what()};
      }
    });
  }
}

std::uint64_t modulus_from(const std::string& text) {
  if (text.empty()) return 0;
  const FibonacciIndex value = fibonacci_index(text);
  if (value.negative || value.magnitude == 0) {
    throw std::invalid_argument(fmt::format("--mod: '{}' is not in 1 to 2^64 - 1", text));
  }
  return value.magnitude;
}

struct Totals {
  std::int64_t numbers = 0;
  std::int64_t bytes = 0;
  double computing = 0;
  double verifying = 0;
  double writing = 0;
};

/// One line about what was written, where, and by whom.
void say_what_was_done(const Totals& totals, const Session& session, const FibonacciOptions& options) {
  if (session.rank() != 0 || options.output == "-") return;
  fmt::print("{}: {}, {}\n", options.output, counted(totals.numbers, "number"),
             bytes_text(static_cast<double>(totals.bytes)));
  fmt::print("model {}, {} ({} x {})\n", name_of(session.model()),
             counted(static_cast<long long>(session.ranks()) * session.threads(), "worker"),
             counted(session.ranks(), "rank"), counted(session.threads(), "thread"));
  fmt::print("computed in {}, verified in {}, written in decimal in {}\n", seconds_text(totals.computing),
             seconds_text(totals.verifying), seconds_text(totals.writing));
}

int say_that_it_is_wrong(const Judgement& judgement, const Session& session) {
  if (session.rank() == 0) {
    fmt::print(stderr, "duet: a number is wrong, and is not written: {}\n", judgement.explanation);
  }
  return status::not_right;
}

/// Watches one number grow: says how far it is, keeps the steps of a checkpoint, and goes on from there.
class Growth {
 public:
  Growth(const FibNumber& asked, std::string name, const std::string& checkpoint, const Session& session,
         ProgressLine& progress)
      : name_{std::move(name)}, speaks_{session.rank() == 0}, progress_{progress} {
    if (!checkpoint.empty()) checkpoint_.emplace(checkpoint, asked, session.communicator());
    record_.reached = [this](const DoublingStep& step) { reached(step); };
    if (checkpoint_ && checkpoint_->start()) {
      record_.start = checkpoint_->start();
      if (speaks_) {
        fmt::print(stderr, "duet: {}: goes on from F({}), {} left\n", checkpoint, asked.n >> record_.start->left,
                   counted(record_.start->left, "doubling"));
      }
    }
    progress_.now("computing " + name_);
  }
  Growth(const Growth&) = delete;
  Growth& operator=(const Growth&) = delete;

  [[nodiscard]] const DoublingRecord* record() const { return &record_; }
  void end() {
    if (checkpoint_) checkpoint_->remove();
  }

 private:
  void reached(const DoublingStep& step) {
    // Smaller ones are there again sooner than they are read.
    constexpr std::size_t least_kept = std::size_t{1} << 16U;
    if (checkpoint_ && keeps_ && step.digits >= least_kept) keep(step);
    // Each step takes twice as long as the one before.
    progress_.now(fmt::format("computing {} ({:.2g} % is done)", name_, 100 * std::exp2(-1.0 * step.left)));
  }

  /// A full disk costs the checkpoint, and not what was computed.
  void keep(const DoublingStep& step) {
    progress_.now("keeping a checkpoint of " + name_);
    try {
      checkpoint_->keep(step);
    } catch (const FileError& error) {
      keeps_ = false;
      if (speaks_) fmt::print(stderr, "duet: warning: {}; the computation goes on without checkpoints\n", error.what());
    }
  }

  std::string name_;
  bool speaks_;
  bool keeps_ = true;
  ProgressLine& progress_;
  std::optional<Checkpoint> checkpoint_;
  DoublingRecord record_;
};

/// From this index on, one number alone is computed by all workers together, in decimal from the beginning.
constexpr std::uint64_t least_shared_index = 100'000;

/// Answers, verifies and writes one large number. Throws FileError, the same on all ranks.
int answer_together(const FibonacciIndex& index, OutputFile& output, const Session& session,
                    const FibonacciOptions& options) {
  const MPI_Comm communicator = session.communicator();
  const Execution execution = session.execution({}, nullptr);
  FibNumber asked{.n = index.magnitude, .decimal = true};
  const std::string name = fmt::format("F({}{})", index.negative ? "-" : "", index.magnitude);
  asked_together(communicator, [&] {
    if (asked.n > largest_fibonacci_index) {
      throw UsageError(too_large_text(name, asked.n, 5 * fibonacci_digits(asked.n)));
    }
    const double bytes =
        fib_number_memory(asked, session.model(), session.node_ranks(), session.threads()) + fibonacci_digits(asked.n);
    duet::refuse_without_memory(fmt::format("{}, with about {:.3g} digits,", name, fibonacci_digits(asked.n)), bytes);
  });
  ProgressLine progress{session.rank() == 0};
  Totals totals;
  Lap lap{session};
  Growth growth{asked, name, options.checkpoint, session, progress};
  asked.record = growth.record();
  const SlicedNumber number = fib_number(asked, session.model(), execution);
  totals.computing = lap.take();
  progress.now("verifying " + name);
  constexpr std::uint64_t seed = 0x6475657420;
  const Judgement judgement = judge_fib_number(asked, number, seed, communicator);
  totals.verifying = lap.take();
  if (!judgement.right) return say_that_it_is_wrong(judgement, session);
  progress.now("writing " + name);
  const RunTeam team{session.model(), execution};
  const bool negative = index.negative && fibonacci_is_negative_at_minus(index.magnitude);
  const SlicedText sliced = sliced_text(number, negative, team, communicator);
  output.append_scattered(sliced.pieces, sliced.text);
  output.commit();
  growth.end();
  totals.writing = lap.take();
  totals.numbers = 1;
  totals.bytes = sliced.bytes;
  say_what_was_done(totals, session, options);
  return status::right;
}

/// Answers, verifies and writes window after window. Throws FileError, the same on all ranks.
int answer(Questions* questions, OutputFile& output, std::uint64_t modulus, const Settings& tunables,
           const Session& session, const FibonacciOptions& options) {
  const MPI_Comm communicator = session.communicator();
  const Execution execution = session.execution(tunables, nullptr);
  const RunTeam team{session.model(), execution};
  ProgressLine progress{session.rank() == 0};
  Totals totals;
  Lap lap{session};
  for (Window window; !window.last;) {
    progress.now("reading the inputs");
    together(communicator, [&] {
      if (questions != nullptr) window = questions->next(modulus == 0);
    });
    share(window, communicator);
    if (window.magnitudes.empty()) break;
    const FibBatch batch{.inputs = FibInputs::given(window.magnitudes), .modulus = modulus};
    refuse_without_memory(window, batch, session, options.inputs);
    const std::string read = questions == nullptr || questions->share_read() == 0
                                 ? ""
                                 : fmt::format(" ({:.0f} % of the inputs are read)", 100 * questions->share_read());
    lap.take();
    progress.now(fmt::format("computing {}{}", name_of(window), read));
    const Answers answers = fib_batch(batch, session.model(), execution);
    totals.computing += lap.take();
    progress.now(fmt::format("verifying {}{}", name_of(window), read));
    constexpr std::uint64_t seed = 0x6475657420;
    const Judgement judgement = judge_fib_batch(batch, answers, seed, session.execution({}, nullptr));
    totals.verifying += lap.take();
    if (!judgement.right) {
      return say_that_it_is_wrong(judgement, session);
    }
    progress.now(fmt::format("writing {} in decimal{}", name_of(window), read));
    const Lines lines = Printer{window, modulus, team}.lines(answers);
    const Places places = places_of(lines, window.magnitudes.size(), communicator);
    output.append_scattered(places.pieces, lines.text);
    totals.writing += lap.take();
    totals.numbers += batch.inputs.count();
    totals.bytes += places.bytes;
  }
  output.commit();
  say_what_was_done(totals, session, options);
  return status::right;
}

int fibonacci(const FibonacciOptions& options) {
  if (options.index.empty() == options.inputs.empty()) {
    throw UsageError("give one index N, or --inputs FILE with one a line ('-': standard input)");
  }
  const std::uint64_t modulus = asked(modulus_from, options.modulus);
  if (options.stream) {
    if (options.inputs.empty()) throw UsageError("--stream goes with --inputs FILE ('-': standard input)");
    if (!options.checkpoint.empty()) throw UsageError("--checkpoint is for one exact number, not for a stream");
    return stream_fibonacci({.inputs = options.inputs,
                             .modulus = modulus,
                             .output = options.output,
                             .workers = options.workers,
                             .settings = options.settings});
  }
  const std::optional<FibonacciIndex> only =
      options.index.empty() ? std::nullopt : std::optional{asked(fibonacci_index, options.index)};
  if (!options.checkpoint.empty() && (!only || modulus != 0 || only->magnitude < least_shared_index)) {
    throw UsageError(fmt::format("--checkpoint is for one exact number from {} on", least_shared_index));
  }
  const auto place = [](const std::string& path) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path), ignored);
  };
  if (!options.checkpoint.empty() && place(options.checkpoint) == place(options.output)) {
    throw UsageError(fmt::format("--checkpoint and --output are the same file, '{}'", options.output));
  }
  const Problem problem = fib_batch_problem();
  const Settings tunables = asked([&] {
    return Settings{fmt::format("fibonacci in {}", name_of(options.workers.model)),
                    problem.variant(options.workers.model).tunables, settings_from(options.settings)};
  });
  const Session session{options.workers};
  const MPI_Comm communicator = session.communicator();
  std::unique_ptr<Questions> questions;
  std::unique_ptr<OutputFile> output;
  asked_together(communicator, [&] {
    if (session.rank() != 0) return;
    questions = only ? std::make_unique<Questions>(*only) : std::make_unique<Questions>(options.inputs);
  });
  asked_of_file([&] { output = std::make_unique<OutputFile>(options.output, communicator); });
  try {
    if (only && modulus == 0 && only->magnitude >= least_shared_index) {
      return answer_together(*only, *output, session, options);
    }
    return answer(questions.get(), *output, modulus, tunables, session, options);
  } catch (const FileError& error) {
    if (session.rank() == 0) fmt::print(stderr, "duet: {}\n", error.what());
    return status::not_right;
  }
}

}  // namespace

std::string too_large_text(const std::string& name, std::uint64_t n, double bytes) {
  return fmt::format(
      "{} has about {:.3g} digits and would need about {}; the largest index of an exact number is {}; "
      "--mod answers any",
      name, fibonacci_digits(n), bytes_text(bytes), largest_fibonacci_index);
}

void add_fibonacci(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("fibonacci", "Exact Fibonacci numbers, or modulo m, verified");
  const auto options = std::make_shared<FibonacciOptions>();
  command->add_option("N", options->index, "The index, also below 0: F(-n) = (-1)^(n+1) F(n)")->type_name("");
  command->add_option("--inputs", options->inputs, "One index a line; - is standard input; gzip too")
      ->type_name("FILE");
  command->add_flag("--stream", options->stream, "Answers lines as they come, in little memory");
  command->add_option("--mod", options->modulus, "F(n) mod M, M and |n| below 2^64, in 0 to M - 1")->type_name("M");
  command->add_option("-o,--output", options->output, "A number a line, in the order of the inputs")
      ->type_name("FILE")
      ->default_str("-");
  command
      ->add_option("--checkpoint", options->checkpoint,
                   "Keeps a large N after each step; a run that was ended goes on from there")
      ->type_name("FILE");
  add_worker_options(*command, options->workers);
  command->add_option("--set", options->settings, "name=value: a tunable of fib_batch, or fib_stream (`duet list`)")
      ->allow_extra_args(false);
  command->footer(
      "Examples:\n"
      "  duet fibonacci 100                         354224848179261915075\n"
      "  duet fibonacci 100000000 -o f.txt          20,898,764 digits\n"
      "  seq 1000 | duet fibonacci --inputs - --mod 1000000007\n"
      "  duet fibonacci --inputs n.txt -o f.txt --model tbb --set schedule=stealing\n"
      "  tail -f n.txt | duet fibonacci --inputs - --stream\n"
      "  duet fibonacci 10000000000 -o f.txt --checkpoint f.part\n"
      "  mpirun -n 4 duet fibonacci --inputs n.txt -o f.txt --model mpi\n"
      "In a text of inputs '#' begins a comment, and blank lines are skipped. Inputs\n"
      "are taken in windows whose answers have about 256 MB of digits, so that a list\n"
      "may be of any length. With --stream each line is answered as it comes, and memory\n"
      "is that of a few numbers a worker; a line that cannot be answered is told of, is\n"
      "empty in the output, and makes the exit status 1.\n"
      "Workers share the inputs. A single N from 100000 on is computed by all of them\n"
      "together, in decimal from the beginning, and written by all. Its checkpoint can be\n"
      "gone on from in any model and on any number of workers, and is removed at the end.\n"
      "Every number is verified before it is written. A file appears under its name\n"
      "when all is done and right.");
  // CLI11 takes "-7" for an unknown option and leaves it over.
  command->allow_extras();
  command->callback([&act, options, command] {
    for (const std::string& extra : command->remaining()) {
      const bool is_index = extra.size() > 1 && extra[0] == '-' && extra[1] >= '0' && extra[1] <= '9';
      if (!is_index || !options->index.empty()) throw CLI::ExtrasError("fibonacci", {extra});
      options->index = extra;
    }
    act = [options] { return fibonacci(*options); };
  });
}

}  // namespace duet
