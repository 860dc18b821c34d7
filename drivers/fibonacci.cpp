#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/agreed.hpp"
#include "drivers/command.hpp"
#include "drivers/files/fibonacci_inputs.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/files/progress_line.hpp"
#include "drivers/files/team.hpp"
#include "drivers/machine.hpp"
#include "drivers/options.hpp"
#include "drivers/session.hpp"
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
  Workers workers;
  std::vector<std::string> settings;
};

/// Decimal digits of F(n), to within one: n log10(phi).
double digits_of(std::uint64_t n) { return 0.20898764024997873 * static_cast<double>(n) + 1; }

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
      if (exact) digits += digits_of(waiting_->magnitude);
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
      throw UsageError(
          fmt::format("{}F({}) has about {:.3g} digits and would need about {}; the largest index of an exact "
                      "number is {}; --mod answers any",
                      place, largest, digits_of(largest), bytes_text(bytes), largest_fibonacci_index));
    }
    duet::refuse_without_memory(fmt::format("{}F({}), with about {:.3g} digits,", place, largest, digits_of(largest)),
                                bytes);
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

/// The text of one number, cut where ranks change: the rows of a slice stand last first, as people write numbers.
struct SlicedText {
  std::vector<Piece> pieces;
  std::string text;
  std::int64_t bytes = 0;  ///< of all ranks
};

class SlicePrinter {
 public:
  SlicePrinter(const SlicedNumber& number, bool negative, std::int64_t leading_places, const RunTeam& team)
      : number_{number}, team_{team}, places_{number.radix.places}, sign_{negative ? 1 : 0} {
    digits_bytes_ =
        std::max<std::int64_t>(1, (static_cast<std::int64_t>(number.digits) - 1) * places_ + leading_places);
  }

  [[nodiscard]] SlicedText text(bool first_rank) const {
    SlicedText sliced;
    sliced.bytes = sign_ + digits_bytes_ + 1;
    for (std::size_t r = number_.shape.rows; r-- > 0;) {
      const std::size_t begin = std::min(number_.place_of(r), number_.digits);
      const std::size_t end = std::min(number_.place_of(r) + number_.width(), number_.digits);
      if (begin != end) sliced.pieces.push_back({sign_ + before(end), before(begin) - before(end)});
    }
    if (number_.digits == 0 && first_rank) sliced.pieces.push_back({0, 1});
    std::int64_t bytes = 0;
    for (const Piece& piece : sliced.pieces) bytes += piece.bytes;
    sliced.text.assign(static_cast<std::size_t>(bytes), '0');
    print_digits(sliced);
    // The sign goes before the first digit, the end of the line behind the last, on the ranks that have them.
    if (sign_ != 0 && !sliced.pieces.empty() && sliced.pieces.front().offset == sign_) {
      sliced.text.insert(0, 1, '-');
      sliced.pieces.front() = {0, sliced.pieces.front().bytes + 1};
    }
    if (!sliced.pieces.empty() && sliced.pieces.back().offset + sliced.pieces.back().bytes == sliced.bytes - 1) {
      sliced.text += '\n';
      sliced.pieces.back().bytes += 1;
    }
    return sliced;
  }

 private:
  /// Characters that stand before digit `place - 1`, without the sign; `place` is at most the number of digits.
  [[nodiscard]] std::int64_t before(std::size_t place) const {
    return std::max<std::int64_t>(0, digits_bytes_ - static_cast<std::int64_t>(place) * places_);
  }

  void print_digits(SlicedText& sliced) const {
    struct Part {
      std::size_t row;
      std::size_t begin;  // of the row's digits
      std::size_t end;
      char* to_end;  // behind the characters of digit `begin`
    };
    constexpr std::size_t most = 1U << 16U;
    std::vector<Part> parts;
    char* at = sliced.text.data();
    for (std::size_t r = number_.shape.rows; r-- > 0;) {
      const std::size_t place = number_.place_of(r);
      const std::size_t end = std::min(place + number_.width(), number_.digits);
      for (std::size_t high = end; high > place;) {
        const std::size_t low = std::max(place, high > most ? high - most : 0);
        at += before(low) - before(high);
        parts.push_back({r, low - place, high - place, at});
        high = low;
      }
    }
    team_.each(static_cast<std::int64_t>(parts.size()), [&](std::int64_t index) {
      const Part& part = parts[static_cast<std::size_t>(index)];
      const auto row = number_.row(part.row);
      char* to = part.to_end;
      for (std::size_t i = part.begin; i < part.end; ++i) {
        const bool leading = number_.place_of(part.row) + i + 1 == number_.digits;
        std::uint64_t digit = row[i];
        for (std::int64_t place = 0; place < places_ && !(leading && digit == 0); ++place, digit /= 10) {
          *--to = static_cast<char>('0' + digit % 10);
        }
      }
    });
  }

  const SlicedNumber& number_;
  const RunTeam& team_;
  std::int64_t places_;
  std::int64_t sign_;
  std::int64_t digits_bytes_ = 0;
};

/// How many decimal places the highest digit of the number has. Collective.
std::int64_t leading_places(const SlicedNumber& number, MPI_Comm communicator) {
  std::uint64_t leading = 0;
  for (std::size_t r = 0; r < number.shape.rows && number.digits != 0; ++r) {
    const std::size_t place = number.place_of(r);
    const std::size_t wanted = number.digits - 1;
    if (wanted >= place && wanted - place < number.width()) leading = number.row(r)[wanted - place];
  }
  if (communicator != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &leading, 1, MPI_UINT64_T, MPI_MAX, communicator));
  }
  return static_cast<std::int64_t>(std::to_string(leading).size());
}

/// From this index on, one number alone is computed by all workers together, in decimal from the beginning.
constexpr std::uint64_t least_shared_index = 100'000;

/// Answers, verifies and writes one large number. Throws FileError, the same on all ranks.
int answer_together(const FibonacciIndex& index, OutputFile& output, const Session& session,
                    const FibonacciOptions& options) {
  const MPI_Comm communicator = session.communicator();
  const Execution execution = session.execution({}, nullptr);
  const FibNumber asked{.n = index.magnitude, .decimal = true};
  const std::string name = fmt::format("F({}{})", index.negative ? "-" : "", index.magnitude);
  asked_together(communicator, [&] {
    if (asked.n > largest_fibonacci_index) {
      throw UsageError(
          fmt::format("{} has about {:.3g} digits and would need about {}; the largest index of an exact number is {}; "
                      "--mod answers any",
                      name, digits_of(asked.n), bytes_text(5 * digits_of(asked.n)), largest_fibonacci_index));
    }
    const double bytes =
        fib_number_memory(asked, session.model(), session.node_ranks(), session.threads()) + digits_of(asked.n);
    duet::refuse_without_memory(fmt::format("{}, with about {:.3g} digits,", name, digits_of(asked.n)), bytes);
  });
  ProgressLine progress{session.rank() == 0};
  Totals totals;
  auto since = std::chrono::steady_clock::now();
  const auto lap = [&] {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(since, now)).count();
  };
  progress.now("computing " + name);
  const SlicedNumber number = fib_number(asked, session.model(), execution);
  totals.computing = lap();
  progress.now("verifying " + name);
  constexpr std::uint64_t seed = 0x6475657420;
  const Judgement judgement = judge_fib_number(asked, number, seed, communicator);
  totals.verifying = lap();
  if (!judgement.right) return say_that_it_is_wrong(judgement, session);
  progress.now("writing " + name);
  const RunTeam team{session.model(), execution};
  const bool negative = index.negative && fibonacci_is_negative_at_minus(index.magnitude);
  const SlicedText sliced =
      SlicePrinter{number, negative, leading_places(number, communicator), team}.text(session.rank() == 0);
  output.append_scattered(sliced.pieces, sliced.text);
  output.commit();
  totals.writing = lap();
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
  auto since = std::chrono::steady_clock::now();
  const auto lap = [&] {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(since, now)).count();
  };
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
    lap();
    progress.now(fmt::format("computing {}{}", name_of(window), read));
    const Answers answers = fib_batch(batch, session.model(), execution);
    totals.computing += lap();
    progress.now(fmt::format("verifying {}{}", name_of(window), read));
    constexpr std::uint64_t seed = 0x6475657420;
    const Judgement judgement = judge_fib_batch(batch, answers, seed, session.execution({}, nullptr));
    totals.verifying += lap();
    if (!judgement.right) {
      return say_that_it_is_wrong(judgement, session);
    }
    progress.now(fmt::format("writing {} in decimal{}", name_of(window), read));
    const Lines lines = Printer{window, modulus, team}.lines(answers);
    const Places places = places_of(lines, window.magnitudes.size(), communicator);
    output.append_scattered(places.pieces, lines.text);
    totals.writing += lap();
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
  const std::optional<FibonacciIndex> only =
      options.index.empty() ? std::nullopt : std::optional{asked(fibonacci_index, options.index)};
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

void add_fibonacci(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("fibonacci", "Exact Fibonacci numbers, or modulo m, verified");
  const auto options = std::make_shared<FibonacciOptions>();
  command->add_option("N", options->index, "The index, also below 0: F(-n) = (-1)^(n+1) F(n)")->type_name("");
  command->add_option("--inputs", options->inputs, "One index a line; - is standard input; gzip too")
      ->type_name("FILE");
  command->add_option("--mod", options->modulus, "F(n) mod M, M and |n| below 2^64, in 0 to M - 1")->type_name("M");
  command->add_option("-o,--output", options->output, "A number a line, in the order of the inputs")
      ->type_name("FILE")
      ->default_str("-");
  add_worker_options(*command, options->workers);
  command->add_option("--set", options->settings, "name=value: a tunable of fib_batch (`duet list`)")
      ->allow_extra_args(false);
  command->footer(
      "Examples:\n"
      "  duet fibonacci 100                         354224848179261915075\n"
      "  duet fibonacci 100000000 -o f.txt          20,898,764 digits\n"
      "  seq 1000 | duet fibonacci --inputs - --mod 1000000007\n"
      "  duet fibonacci --inputs n.txt -o f.txt --model tbb --set schedule=stealing\n"
      "  mpirun -n 4 duet fibonacci --inputs n.txt -o f.txt --model mpi\n"
      "In a text of inputs '#' begins a comment, and blank lines are skipped. Inputs\n"
      "are taken in windows whose answers have about 256 MB of digits, so that a list\n"
      "may be of any length.\n"
      "Workers share the inputs; one number is computed, and written in decimal, by one\n"
      "worker: for a single N more workers do not help today.\n"
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
