#include "kernels/arithmetic/transform/transform.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/arithmetic/transform/half_sums.hpp"
#include "kernels/arithmetic/transform/subtree.hpp"
#include "kernels/arithmetic/transform/twiddles.hpp"
#include "kernels/core/partition.hpp"

namespace duet {
namespace {

/// Up to so many words of an image, primes go side by side: both images of two of them are 16 MB then. Beyond, a
/// third-level cache would not hold them, and all workers share one prime after the other.
constexpr std::size_t side_by_side = std::size_t{1} << 19U;
/// Below so many words, a team costs more than it gains.
constexpr std::size_t least_shared = std::size_t{1} << 12U;

/// So that one who was held up does not hold up all.
constexpr int parts_of_a_worker = 4;

bool goes_side_by_side(const TransformShape& shape, int workers) {
  return workers > 1 && shape.words() <= side_by_side;
}

/// Longer ones, where each worker has rows of its own: what computes and what moves memory then goes on side by side.
/// Threads that all move memory at once hold each other up.
bool overlaps_primes(const TransformShape& shape, int workers) {
  return workers > 1 && shape.words() > side_by_side && shape.rows >= 2 * static_cast<std::size_t>(workers);
}

/// Primes that workers do each by themselves, from the digits to the coefficients: as many to each. Nobody waits
/// meanwhile, and an image stays in its worker's caches.
std::size_t whole_primes(int workers) {
  const auto count = static_cast<std::size_t>(workers);
  return transform_primes_count - transform_primes_count % count;
}

/// The whole of one product.
class Computation {
 public:
  Computation(const TransformPlan& plan, Combination combination, TransformContext& context)
      : plan_{plan}, combination_{combination}, context_{context}, path_{*context.path} {
    make_room(context.space, plan.words());
    team_ = plan.shape.words() < least_shared ? &serial_team() : context.team;
    for (std::size_t k = 0; k < transform_primes_count; ++k) {
      lines_[k] = line_of(k, plan.shape.words() / 8 + shortest_row, path_);
      a_[k] = context.space.data() + k * plan.shape.words();
      if (plan.second_images != 0) {
        b_[k] = context.space.data() + (plan.first_images + k % plan.second_images) * plan.shape.words();
      }
    }
  }

  /// `b` is empty for squares.
  void transform(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
    if (overlaps_primes(plan_.shape, team_->workers)) return transform_overlapped(a, b);
    const bool at_once = goes_side_by_side(plan_.shape, team_->workers);
    const std::size_t own_primes = at_once ? whole_primes(team_->workers) : 0;
    if (own_primes == transform_primes_count) {
      return team_->parallel(transform_primes_count,
                             [&](std::int64_t part) { by_itself(static_cast<std::size_t>(part), a, b); });
    }
    const std::size_t together = at_once ? transform_primes_count - own_primes : 1;
    const ColumnParts columns{plan_.shape.row_length, team_->workers == 1 ? 1 : parts_of_a_worker * team_->workers};
    for (std::size_t first = own_primes; first < transform_primes_count; first += together) {
      // Those who are ready with their own primes begin with the shared ones.
      const auto own = static_cast<std::int64_t>(first == own_primes ? own_primes : 0);
      const std::int64_t shared = static_cast<std::int64_t>(together) * columns.count();
      team_->parallel(own + shared, [&](std::int64_t part) {
        if (part < own) return by_itself(static_cast<std::size_t>(part), a, b);
        forward(first + static_cast<std::size_t>((part - own) / columns.count()), a, b,
                columns[(part - own) % columns.count()]);
      });
      work_off_all(
          path_, *team_, together * plan_.shape.rows, plan_.shape.row_length,
          [&](std::size_t index) { return row(first, index); }, combination_);
      team_->parallel(shared, [&](std::int64_t part) {
        inverse(first + static_cast<std::size_t>(part / columns.count()), columns[part % columns.count()]);
      });
    }
  }

  /// The number that the first images make, and that of the second ones where there are two.
  void write(std::span<std::uint64_t> first, std::span<std::uint64_t> second) {
    std::vector<Recombination> numbers{{a_, first, *this}};
    if (!second.empty()) numbers.push_back({b_, second, *this});
    const std::int64_t parts = numbers.front().parts();
    team_->parallel(std::ssize(numbers) * parts,
                    [&](std::int64_t part) { numbers[static_cast<std::size_t>(part / parts)].write(part % parts); });
    for (Recombination& number : numbers) number.carry();
  }

 private:
  using Images = std::array<std::uint64_t*, transform_primes_count>;

  /// From the digits to the coefficients, by one worker.
  void by_itself(std::size_t k, std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
    const Columns all{0, plan_.shape.row_length};
    forward(k, a, b, all);
    for (std::size_t r = 0; r < plan_.shape.rows; ++r) work_off(path_, row(k, r), combination_);
    inverse(k, all);
  }
  void forward(std::size_t k, std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, Columns columns) {
    forward_first(k, a, columns);
    forward_second(k, b, columns);
  }
  void forward_first(std::size_t k, std::span<const std::uint64_t> a, Columns columns) {
    path_.forward_top(lines_[k], a.data(), a.size(), a_[k], plan_.shape, columns);
  }
  void forward_second(std::size_t k, std::span<const std::uint64_t> b, Columns columns) {
    if (!b.empty()) path_.forward_top(lines_[k], b.data(), b.size(), b_[k], plan_.shape, columns);
  }
  void inverse(std::size_t k, Columns columns) {
    const auto in_place = [&](std::uint64_t* image) {
      const WordRows rows{image, plan_.shape.row_length};
      path_.inverse_top(lines_[k], rows.begins(plan_.shape.rows), rows, columns);
    };
    in_place(a_[k]);
    if (is_doubling(combination_)) in_place(b_[k]);
  }

  enum class Way { down, across, up };
  struct Part {
    Way way;
    std::int64_t index;
    double when;  // in the order of a stage
  };

  /// One prime after the other, and while the rows of one are worked off, the columns of the next go down and those of
  /// the one before come up. Where there is one second image, that of the second prime borrows the place of the third
  /// prime's first image, which comes after it then.
  void transform_overlapped(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
    const auto rows = static_cast<std::int64_t>(plan_.shape.rows);
    // So many that those left when the last rows are begun keep the others busy until these are done.
    const ColumnParts parts{plan_.shape.row_length, 8 * team_->workers};
    constexpr std::size_t last = transform_primes_count - 1;
    const bool borrows = plan_.second_images == 1;
    if (borrows) b_[last - 1] = a_[last];
    for (std::size_t stage = 0; stage < transform_primes_count + 2; ++stage) {
      const bool first_comes_after = borrows && stage == last;
      std::vector<Part> order;
      const auto put = [&](Way way, std::int64_t count, std::int64_t first, std::int64_t all) {
        for (std::int64_t i = 0; i < count; ++i) {
          order.push_back({way, i, static_cast<double>(first + i) / static_cast<double>(all)});
        }
      };
      if (stage < transform_primes_count) put(Way::down, parts.count(), 1, parts.count());
      if (0 < stage && stage <= transform_primes_count) put(Way::across, rows, 0, rows + team_->workers);
      if (1 < stage) put(Way::up, parts.count(), 1, parts.count());
      std::ranges::stable_sort(order, {}, &Part::when);
      team_->parallel(std::ssize(order), [&](std::int64_t index) {
        const Part& part = order[static_cast<std::size_t>(index)];
        switch (part.way) {
          case Way::down:
            if (!first_comes_after) forward_first(stage, a, parts[part.index]);
            return forward_second(stage, b, parts[part.index]);
          case Way::across:
            return work_off(path_, row(stage - 1, static_cast<std::size_t>(part.index)), combination_);
          case Way::up:
            return inverse(stage - 2, parts[part.index]);
        }
      });
      if (first_comes_after) {
        team_->parallel(parts.count(), [&](std::int64_t part) { forward_first(stage, a, parts[part]); });
      }
    }
  }

  /// Row `index`, counted through the primes from the `first` one on.
  [[nodiscard]] Subtree row(std::size_t first, std::size_t index) const {
    const std::size_t k = first + index / plan_.shape.rows;
    const std::size_t r = index % plan_.shape.rows;
    const std::size_t start = r * plan_.shape.row_length;
    return {.line = lines_[k],
            .a = a_[k] + start,
            .b = combination_ == Combination::square ? nullptr : b_[k] + start,
            .length = plan_.shape.row_length,
            .node = r};
  }

  /// The digits of a number from its images, in parts that any worker may write.
  class Recombination {
   public:
    Recombination(const Images& images, std::span<std::uint64_t> digits, const Computation& of)
        : residues_{residues_of(of.path_, {images[0], images[1], images[2]}, of.plan_.shape)},
          digits_{digits},
          of_{of},
          eights_{static_cast<std::int64_t>((digits.size() + 7) / 8)},
          carries_(static_cast<std::size_t>(
              of.team_->workers == 1 ? 1 : std::min<std::int64_t>(eights_, parts_of_a_worker * of.team_->workers))) {}

    [[nodiscard]] std::int64_t parts() const { return std::ssize(carries_); }
    void write(std::int64_t part) {
      carries_[static_cast<std::size_t>(part)] =
          of_.path_.recombine(residues_, start(part), start(part + 1), of_.context_.radix, digits_.data());
    }
    /// From each part into the next: rarely further than into its first digit.
    void carry() {
      for (std::int64_t part = 1; part < parts(); ++part) {
        const std::uint64_t carry = carries_[static_cast<std::size_t>(part) - 1];
        if (carry != 0) add_small(digits_.subspan(start(part)), carry, of_.context_.radix);
      }
    }

   private:
    [[nodiscard]] std::size_t start(std::int64_t part) const {
      if (part == parts()) return digits_.size();
      return std::min(digits_.size(), static_cast<std::size_t>(share_of(eights_, parts(), part).begin) * 8);
    }

    Residues residues_;
    std::span<std::uint64_t> digits_;
    const Computation& of_;
    std::int64_t eights_;
    std::vector<std::uint64_t> carries_;
  };

  TransformPlan plan_;
  Combination combination_;
  TransformContext& context_;
  const TransformPath& path_;
  const TransformTeam* team_;
  std::array<Line, transform_primes_count> lines_{};
  Images a_{};
  Images b_{};
};

void check_sizes(std::size_t a, std::size_t b, std::size_t result, const Radix& radix) {
  if (a == 0 || b == 0 || result != a + b) {
    throw std::invalid_argument("a product of " + std::to_string(a) + " by " + std::to_string(b) + " digits into " +
                                std::to_string(result));
  }
  if (std::min(a, b) > longest_factor(radix)) {
    throw std::length_error("the shorter factor has " + std::to_string(std::min(a, b)) + " digits below " +
                            std::to_string(radix.base) + "; the transform takes " +
                            std::to_string(longest_factor(radix)));
  }
}

}  // namespace

TransformPlan plan_transform(std::size_t result_digits, Combination combination, int workers) {
  TransformPlan plan{.shape = shape_for(result_digits), .first_images = transform_primes_count};
  if (plan.shape.row_length > longest_row) {
    throw std::length_error("a product of " + std::to_string(result_digits) + " digits is too long for the transform");
  }
  if (is_doubling(combination)) {
    plan.second_images = transform_primes_count;
  } else if (combination != Combination::square) {
    plan.second_images = goes_side_by_side(plan.shape, workers) ? transform_primes_count : 1;
  }
  return plan;
}

void multiply_digits(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                     std::span<std::uint64_t> result, TransformContext& context) {
  check_sizes(a.size(), b.size(), result.size(), context.radix);
  Computation computation{plan_transform(result.size(), Combination::product, context.team->workers),
                          Combination::product, context};
  computation.transform(a, b);
  computation.write(result, {});
}

void square_digits(std::span<const std::uint64_t> a, std::span<std::uint64_t> result, TransformContext& context) {
  check_sizes(a.size(), a.size(), result.size(), context.radix);
  Computation computation{plan_transform(result.size(), Combination::square, context.team->workers),
                          Combination::square, context};
  computation.transform(a, {});
  computation.write(result, {});
}

void double_digits(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                   std::span<std::uint64_t> a_times_b, std::span<std::uint64_t> b_squared, TransformContext& context) {
  check_sizes(a.size(), b.size(), a_times_b.size(), context.radix);
  check_sizes(a.size(), b.size(), b_squared.size(), context.radix);
  Computation computation{plan_transform(a_times_b.size(), Combination::doubling, context.team->workers),
                          Combination::doubling, context};
  computation.transform(a, b);
  computation.write(a_times_b, b_squared);
}

void half_sums(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, std::span<std::uint64_t> once,
               std::span<std::uint64_t> five_times, const TransformContext& context) {
  const auto fits = [&](std::span<const std::uint64_t> other) { return other.empty() || other.size() == a.size(); };
  if (a.size() != b.size() || !fits(once) || !fits(five_times)) {
    throw std::invalid_argument("sums of " + std::to_string(a.size()) + " and " + std::to_string(b.size()) +
                                " digits into " + std::to_string(once.size()) + " and " +
                                std::to_string(five_times.size()));
  }
  const TransformTeam& team = a.size() < least_shared ? serial_team() : *context.team;
  const auto size = static_cast<std::int64_t>(a.size());
  const std::int64_t parts = std::max<std::int64_t>(1, std::min<std::int64_t>(size, team.workers));
  struct Boundary {
    bool odd_above = false;  // of the first digits of the part above, before they change
    HalfSumCarries carries{};
  };
  std::vector<Boundary> boundaries(static_cast<std::size_t>(parts));
  const auto first_of = [&](std::int64_t part) { return static_cast<std::size_t>(share_of(size, parts, part).begin); };
  for (std::int64_t part = 0; part + 1 < parts; ++part) {
    const std::size_t above = first_of(part + 1);
    boundaries[static_cast<std::size_t>(part)].odd_above = odd_sum(a[above], b[above]);
  }
  team.parallel(parts, [&](std::int64_t part) {
    Boundary& mine = boundaries[static_cast<std::size_t>(part)];
    const std::size_t first = first_of(part);
    const std::size_t count = (part + 1 == parts ? a.size() : first_of(part + 1)) - first;
    const auto mine_of = [&](std::span<std::uint64_t> all) { return all.empty() ? all : all.subspan(first, count); };
    mine.carries = half_sums_of_stretch(a.subspan(first, count), b.subspan(first, count), mine.odd_above, mine_of(once),
                                        mine_of(five_times), context.radix);
  });
  for (std::int64_t part = 0; part + 1 < parts; ++part) {
    const HalfSumCarries& below = boundaries[static_cast<std::size_t>(part)].carries;
    if (below.once != 0) add_small(once.subspan(first_of(part + 1)), below.once, context.radix);
    if (below.five_times != 0) add_small(five_times.subspan(first_of(part + 1)), below.five_times, context.radix);
  }
}

}  // namespace duet
