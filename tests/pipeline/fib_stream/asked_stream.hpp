#pragma once

/// A stream of given inputs whose lines are kept.

#include <gmp.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/arithmetic/gmp_number.hpp"
#include "kernels/pipeline/fib_stream/chunk.hpp"
#include "kernels/pipeline/fib_stream/fib_stream.hpp"

namespace duet {

struct AskedInput {
  std::uint64_t n = 0;
  unsigned char mark = 0;
};

struct AskedStream {
  explicit AskedStream(std::vector<AskedInput> all, std::size_t together) : inputs{std::move(all)} {
    stream.next = [this, together](StreamItem& item) {
      if (at == inputs.size()) return false;
      std::vector<std::uint64_t> n;
      std::vector<unsigned char> marks;
      for (; n.size() < together && at < inputs.size(); ++at) {
        n.push_back(inputs[at].n);
        marks.push_back(inputs[at].mark);
      }
      write_inputs(item, n, marks);
      return true;
    };
    stream.take = [this](StreamItem& item) { text += item.data.text(); };
    stream.answers = FibStream::Answers::lines;
  }
  AskedStream(const AskedStream&) = delete;
  AskedStream& operator=(const AskedStream&) = delete;

  [[nodiscard]] std::string expected() const {
    std::string lines;
    for (const AskedInput& input : inputs) {
      if ((input.mark & unanswerable_mark) == 0) {
        const bool below = (input.mark & minus_mark) != 0 && input.n % 2 == 0 && input.n != 0;
        GmpNumber number;
        mpz_fib_ui(number.get(), input.n);
        if (stream.modulus != 0) {
          if (below) mpz_neg(number.get(), number.get());
          mpz_fdiv_r_ui(number.get(), number.get(), stream.modulus);
        } else if (below) {
          lines += '-';
        }
        lines += decimal_by_gmp(number.limbs());
      }
      lines += '\n';
    }
    return lines;
  }

  std::vector<AskedInput> inputs;
  std::size_t at = 0;
  std::string text;
  FibStream stream;
};

/// All kinds: small, of both algorithms, below 0, and no inputs.
inline std::vector<AskedInput> mixed_inputs() {
  std::vector<AskedInput> inputs;
  for (std::uint64_t n = 0; n < 300; ++n)
    inputs.push_back({n, static_cast<unsigned char>(n % 3 == 0 ? minus_mark : 0)});
  for (const std::uint64_t n : {16'383U, 16'384U, 16'385U, 40'000U, 123'456U}) inputs.push_back({n, minus_mark});
  inputs.push_back({0, unanswerable_mark});
  for (std::uint64_t n = 1'000; n < 9'000; n += 111) inputs.push_back({n, 0});
  return inputs;
}

inline Settings fib_stream_settings(Model model, const std::map<std::string, std::string>& given) {
  const Problem problem = fib_stream_problem();
  return Settings{"test", problem.variant(model).tunables, given};
}

}  // namespace duet
