#pragma once

/// What an item of the stream carries: consecutive inputs that go together, so that small ones are not dearer to hand
/// on than to compute, and later their answers.
///
///     from the source            | n_0 ... | mark_0 ... |
///     compute: digits            | n_0 ... | end_0 ... | mark_0 ... | digits of all numbers, in words   |
///     decimal: lines             | n_0 ... | end_0 ... | mark_0 ... | "89\n" "-144\n" "\n" ...          |
///     digest, check: the answer  | a hash of each line, and the bytes of all |   or   | the lines        |
///
/// n and end are words, marks are characters, with zeros up to a whole word where something follows. An end counts the
/// words or bytes of the last part.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/pipeline/stream/bytes.hpp"
#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

/// What is to be known of an input beside its magnitude.
enum FibMark : unsigned char {
  minus_mark = 1,             ///< it is below 0; from `compute` on: its number is, and is written with a minus
  unanswerable_mark = 2,      ///< it is none, and its line is empty
  reflected_mark = 8,         ///< its residue is m minus that of F(|n|)
  seventeen_places_mark = 4,  ///< its digits are in radix 10^17: too long for 10^18
};

/// The inputs that an item carries from the source, or what it carries later, before the last part.
struct FibChunk {
  std::span<const std::uint64_t> n;
  std::span<const std::uint64_t> ends;
  const unsigned char* marks = nullptr;
  const char* body = nullptr;

  [[nodiscard]] std::size_t size() const { return n.size(); }
  [[nodiscard]] bool is(std::size_t i, FibMark mark) const { return (marks[i] & mark) != 0; }
  /// The digits of the i-th number.
  [[nodiscard]] std::span<const std::uint64_t> digits(std::size_t i) const;
  /// Its line, without the newline.
  [[nodiscard]] std::string_view line(std::size_t i) const;
  /// All lines.
  [[nodiscard]] std::string_view lines() const { return {body, ends.empty() ? 0 : ends.back()}; }

 private:
  [[nodiscard]] std::size_t begin(std::size_t i) const { return i == 0 ? 0 : ends[i - 1]; }
};

/// Gives the item what a source gives: inputs, and a mark for each, or none for all.
void write_inputs(StreamItem& item, std::span<const std::uint64_t> n, std::span<const unsigned char> marks = {});

/// What is in the item.
[[nodiscard]] FibChunk inputs_in(const StreamItem& item);
[[nodiscard]] FibChunk answers_in(const StreamItem& item);

/// What a stage writes: the next form of `chunk`, in `room`, answer by answer.
class FibChunkWriter {
 public:
  /// `most` bytes will do for the body.
  FibChunkWriter(const FibChunk& chunk, std::size_t most, Bytes& room);
  /// Where the next answer goes.
  [[nodiscard]] char* next() { return room_.data() + at_; }
  [[nodiscard]] std::uint64_t* next_words() { return reinterpret_cast<std::uint64_t*>(next()); }
  /// The next answer ends here, and is marked so; ends count by `unit` bytes.
  void end(const char* there, unsigned char mark, std::size_t unit);

 private:
  Bytes& room_;
  std::size_t count_;
  std::size_t body_;
  std::size_t at_;
  std::size_t written_ = 0;
};

}  // namespace duet
