// One bit flips somewhere in the transforms: the judge sees it, or the answer is the right one all the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/arithmetic/transform/path.hpp"
#include "kernels/data_decomposition/fib_number/fib_number.hpp"
#include "tests/sanitizers.hpp"

namespace duet {
namespace {

/// Who has just written what is disturbed: an image after the first levels or after columns, a subtree after its
/// combination, the coefficients before their recombination, or the digits after it.
enum class Stage { image, columns, subtree, columns_back, coefficients, digits };
constexpr std::array stages{Stage::image,        Stage::columns,      Stage::subtree,
                            Stage::columns_back, Stage::coefficients, Stage::digits};

struct Fault {
  Stage stage = Stage::image;
  std::size_t call = 0;    ///< of the function that writes it, from 0 on
  std::uint64_t seed = 0;  ///< draws the word and the bit
};

/// What the path below does and sees. A path is a struct of plain functions, so that this is static; one thread
/// computes.
struct Observer {
  const TransformPath* real = nullptr;
  std::optional<Fault> fault{};
  /// For each stage, the step of the doubling that each call of its function belongs to.
  std::array<std::vector<int>, stages.size()> calls{};
  int step = 0;
  bool step_is_over = false;

  template <class Pick>
  void disturb(Stage stage, const Pick& pick) {
    std::vector<int>& before = calls.at(static_cast<std::size_t>(stage));
    if (fault && fault->stage == stage && fault->call == before.size()) {
      std::mt19937_64 random{fault->seed};
      std::uint64_t& word = pick(random);
      word ^= std::uint64_t{1} << random() % 64;
    }
    before.push_back(step);
  }
};
Observer observer;

/// A word of rows that stand `row_length` apart, within `columns`.
auto in_columns(std::uint64_t* words, std::size_t rows, std::size_t row_length, Columns columns) {
  return [=](std::mt19937_64& random) -> std::uint64_t& {
    const std::size_t row = random() % rows;
    return words[row * row_length + columns.begin + random() % (columns.end - columns.begin)];
  };
}

void forward_top(const Line& line, const std::uint64_t* digits, std::size_t count, std::uint64_t* words,
                 const TransformShape& shape, Columns columns) {
  if (observer.step_is_over) ++observer.step;
  observer.step_is_over = false;
  observer.real->forward_top(line, digits, count, words, shape, columns);
  observer.disturb(Stage::image, in_columns(words, shape.rows, shape.row_length, columns));
}
void inverse_top(const Line& line, std::span<const std::uint64_t* const> from, const WordRows& to, Columns columns) {
  observer.real->inverse_top(line, from, to, columns);
  observer.disturb(Stage::coefficients, in_columns(to.first, from.size(), to.apart, columns));
}
void forward_columns(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length, std::size_t node,
                     Columns columns) {
  observer.real->forward_columns(line, words, rows, row_length, node, columns);
  observer.disturb(Stage::columns, in_columns(words, rows, row_length, columns));
}
void inverse_columns(const Line& line, std::uint64_t* words, std::size_t rows, std::size_t row_length, std::size_t node,
                     Columns columns) {
  observer.real->inverse_columns(line, words, rows, row_length, node, columns);
  observer.disturb(Stage::columns_back, in_columns(words, rows, row_length, columns));
}
void subtree(const Line& line, std::uint64_t* a, std::uint64_t* b, std::size_t length, std::size_t node,
             Combination combination) {
  observer.real->subtree(line, a, b, length, node, combination);
  observer.disturb(Stage::subtree, [=](std::mt19937_64& random) -> std::uint64_t& {
    std::uint64_t* const image = combination == Combination::doubling && random() % 2 == 0 ? b : a;
    return image[random() % length];
  });
}
std::uint64_t recombine(const Residues& residues, std::size_t begin, std::size_t end, const Radix& radix,
                        std::uint64_t* digits) {
  observer.step_is_over = true;
  const std::uint64_t carry = observer.real->recombine(residues, begin, end, radix, digits);
  observer.disturb(Stage::digits,
                   [=](std::mt19937_64& random) -> std::uint64_t& { return digits[begin + random() % (end - begin)]; });
  return carry;
}

/// `real`, observed, and used from the shortest factors on.
TransformPath observed(const TransformPath& real, std::size_t least_limbs) {
  TransformPath path = real;
  path.least_limbs = least_limbs;
  path.forward_top = &forward_top;
  path.inverse_top = &inverse_top;
  path.forward_columns = &forward_columns;
  path.inverse_columns = &inverse_columns;
  path.subtree = &subtree;
  path.recombine = &recombine;
  return path;
}

/// One number and what becomes of it where a bit flips.
class Experiment {
 public:
  Experiment(const FibNumber& asked, const TransformPath& real, std::size_t least_limbs)
      : asked_{asked}, real_{&real}, path_{observed(real, least_limbs)} {
    observer = {.real = real_};
    right_ = computed();
    calls_ = observer.calls;
    EXPECT_TRUE(judged(right_).right) << judged(right_).explanation;
  }

  /// `times` faults in each step of the doubling and each of these stages.
  void disturb(std::span<const Stage> where, int times) {
    for (const Stage stage : where) {
      const std::vector<int>& steps = calls_.at(static_cast<std::size_t>(stage));
      for (auto first = steps.begin(); first != steps.end();) {
        const auto last = std::upper_bound(first, steps.end(), *first);
        for (int i = 0; i < times; ++i) {
          const auto call = first + static_cast<std::ptrdiff_t>(random_() % static_cast<std::size_t>(last - first));
          disturb_once({.stage = stage, .call = static_cast<std::size_t>(call - steps.begin()), .seed = random_()});
        }
        first = last;
      }
    }
  }

  [[nodiscard]] int injected() const { return injected_; }
  /// Wrong answers, all of which the judge refused.
  [[nodiscard]] int rejected() const { return rejected_; }
  /// Computations that came to no answer.
  [[nodiscard]] int ended() const { return ended_; }

 private:
  SlicedNumber computed() {
    TransformContext context{.radix = asked_.radix(), .path = &path_};
    return in_order(sequence_digits(asked_.sequence, asked_.n, context));
  }
  [[nodiscard]] Judgement judged(const SlicedNumber& answer) const {
    return judge_fib_number(asked_, answer, asked_.n, MPI_COMM_NULL);
  }

  void disturb_once(const Fault& fault) {
    ++injected_;
    observer = {.real = real_, .fault = fault};
    try {
      const SlicedNumber answer = computed();
      const bool same = answer.digits == right_.digits &&
                        std::ranges::equal(answer.row(0).first(answer.digits), right_.row(0).first(right_.digits));
      EXPECT_EQ(judged(answer).right, same)
          << real_->name << ", n = " << asked_.n << ", stage " << static_cast<int>(fault.stage) << ", call "
          << fault.call << ", seed " << fault.seed;
      if (!same) ++rejected_;
    } catch (const std::logic_error&) {
      ++ended_;
    }
  }

  FibNumber asked_;
  const TransformPath* real_;
  TransformPath path_;
  SlicedNumber right_;
  std::array<std::vector<int>, stages.size()> calls_;
  std::mt19937_64 random_{asked_.n};
  int injected_ = 0;
  int rejected_ = 0;
  int ended_ = 0;
};

TEST(FibNumberFaults, AreSeenInEveryStepAndStageOnEveryPath) {
  constexpr std::size_t shortest = 8;
  for (const TransformPath& path : transform_paths()) {
    if (!path.runs_here()) continue;
    int injected = 0;
    int rejected = 0;
    int ended = 0;
    for (const Sequence sequence : {Sequence::fibonacci, Sequence::lucas}) {
      for (const bool decimal : {false, true}) {
        for (const std::uint64_t n : {30'011U, 65'535U, 98'304U}) {
          if (under_sanitizer && n > 50'000) continue;
          Experiment experiment{{.sequence = sequence, .n = n, .decimal = decimal}, path, shortest};
          experiment.disturb(stages, 3);
          injected += experiment.injected();
          rejected += experiment.rejected();
          ended += experiment.ended();
        }
      }
    }
    RecordProperty("injected_" + std::string{path.name}, injected);
    RecordProperty("rejected_" + std::string{path.name}, rejected);
    RecordProperty("ended_" + std::string{path.name}, ended);
    EXPECT_GT(injected, under_sanitizer ? 100 : 600) << path.name;
    // Where vectors take 52 bits of a word, the others do not count, nor does what is beyond a number's end. And most
    // wrong numbers are computed to the end.
    EXPECT_GT(rejected, injected / 2) << path.name;
    EXPECT_LT(ended, injected / 5) << path.name;
  }
}

TEST(FibNumberFaults, AreSeenInColumnsOfLongSubtrees) {
  if (under_sanitizer || fastest_path().name == "portable") GTEST_SKIP() << "takes too long here";
  // The first transform whose subtrees are longer than what one thread works off in one go.
  Experiment experiment{{.n = 46'500'001}, fastest_path(), fastest_path().least_limbs};
  constexpr std::array columns{Stage::columns, Stage::columns_back};
  experiment.disturb(columns, 6);
  EXPECT_EQ(experiment.injected(), 12);
  EXPECT_GT(experiment.rejected(), 6);
}

}  // namespace
}  // namespace duet
