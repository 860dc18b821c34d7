#include "drivers/sliced_text.hpp"

#include <algorithm>

#include "kernels/arithmetic/transform/radix.hpp"
#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

/// The rows of a slice stand last first, as people write numbers.
class SlicePrinter {
 public:
  /// `leading`: the highest digit of the number.
  SlicePrinter(const SlicedNumber& number, bool negative, std::uint64_t leading)
      : number_{number}, places_{number.radix.places}, sign_{negative ? 1 : 0}, leading_{std::to_string(leading)} {
    const auto below = static_cast<std::int64_t>(std::max<std::size_t>(number.digits, 1)) - 1;
    digits_bytes_ = below * places_ + std::ssize(leading_);
  }

  [[nodiscard]] SlicedText text(const RunTeam& team, bool first_rank) const {
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
    print_digits(sliced, team);
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

  void print_digits(SlicedText& sliced, const RunTeam& team) const {
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
    team.each(static_cast<std::int64_t>(parts.size()), [&](std::int64_t index) {
      const Part& part = parts[static_cast<std::size_t>(index)];
      const auto row = number_.row(part.row);
      char* to = part.to_end;
      for (std::size_t i = part.begin; i < part.end; ++i) {
        if (number_.place_of(part.row) + i + 1 == number_.digits) {
          std::ranges::copy_backward(leading_, to);
        } else {
          to -= places_;
          write_places(row[i], number_.radix.places, to);
        }
      }
    });
  }

  const SlicedNumber& number_;
  std::int64_t places_;
  std::int64_t sign_;
  std::string leading_;
  std::int64_t digits_bytes_ = 0;
};

}  // namespace

SlicedText sliced_text(const SlicedNumber& number, bool negative, const RunTeam& team, MPI_Comm communicator) {
  const std::uint64_t mine = number.digits == 0 ? 0 : number.digit_if_mine(number.digits - 1);
  const bool first_rank = communicator == MPI_COMM_NULL || rank_in(communicator) == 0;
  return SlicePrinter{number, negative, summed(mine, communicator)}.text(team, first_rank);
}

}  // namespace duet
