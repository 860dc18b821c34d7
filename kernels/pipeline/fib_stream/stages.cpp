#include "kernels/pipeline/fib_stream/stages.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <thread>
#include <utility>

#include "kernels/arithmetic/fast_doubling.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/pipeline/stream/stage_meter.hpp"

namespace duet {
namespace {

constexpr unsigned table_places = 18;
constexpr std::uint64_t table_base = 1'000'000'000'000'000'000U;
constexpr std::size_t digit_bytes = sizeof(std::uint64_t);

std::uint64_t number_in(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) value = 10 * value + static_cast<std::uint64_t>(c - '0');
  return value;
}

}  // namespace

ContextPool::Context ContextPool::take() {
  const std::scoped_lock lock{mutex_};
  if (free_.empty()) return std::make_unique<TransformContext>();
  Context context = std::move(free_.back());
  free_.pop_back();
  return context;
}

void ContextPool::give_back(Context context) {
  const std::scoped_lock lock{mutex_};
  free_.push_back(std::move(context));
}

std::uint64_t digest_of_line(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

FibStages::FibStages(const FibStream& asked, Waiting waiting)
    : asked_{asked}, decimals_{asked.modulus == 0 ? asked.largest : 0} {
  if (asked_.modulus != 0) modulo_.emplace(asked_.modulus, asked_.largest);
  if (asked_.answers == FibStream::Answers::lines) {
    if (asked_.modulus != 0) {
      by_addition_.emplace(asked_.modulus, asked_.largest);
    } else {
      text_check_.emplace(asked_.seed);
    }
  }
  stream_.next = [this](StreamItem& item) {
    const std::int64_t begin = nanoseconds_now();
    const bool found = asked_.next(item);
    source_.nanoseconds += nanoseconds_now() - begin;
    if (found) {
      source_.items += item.count;
      source_.bytes += static_cast<std::int64_t>(item.data.size());
    }
    return found;
  };
  stream_.ready = asked_.ready;
  stream_.stages.push_back(computing_stage(waiting));
  stream_.stages.push_back({.name = "decimal", .act = [this](StreamItem& item) { write_lines(item); }});
  if (asked_.answers == FibStream::Answers::digests) {
    stream_.stages.push_back({.name = "digest", .act = [this](StreamItem& item) { digest(item); }});
  } else {
    stream_.stages.push_back({.name = "check", .act = [this](StreamItem& item) { check_lines(item); }});
  }
  stream_.take = [this](StreamItem& item) {
    if (!item.fault.empty()) throw std::runtime_error(item.fault);
    const std::int64_t begin = nanoseconds_now();
    if (item.since != 0) take_.queued_nanoseconds += begin - item.since;
    take_.items += item.count;
    take_.bytes += static_cast<std::int64_t>(item.data.size());
    asked_.take(item);
    take_.nanoseconds += nanoseconds_now() - begin;
  };
}

StreamStage FibStages::computing_stage(Waiting waiting) {
  if (asked_.wait_seconds == 0) return {.name = "compute", .act = [this](StreamItem& item) { compute(item); }};
  // The other side's computing is over long before its answer is there.
  using Clock = std::chrono::steady_clock;
  const auto ask = [this](StreamItem& item) {
    const Clock::time_point asked = Clock::now();
    compute(item);
    return asked + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{asked_.wait_seconds});
  };
  StreamStage stage{.name = "wait", .kind = StageKind::waiting};
  if (waiting == Waiting::asynchronous) {
    stage.begin = ask;
    stage.act = [](StreamItem& /*item*/) {};
  } else {
    stage.act = [ask](StreamItem& item) { std::this_thread::sleep_until(ask(item)); };
  }
  return stage;
}

void FibStages::compute(StreamItem& item) {
  if (modulo_) {
    compute_modulo(item);
  } else {
    compute_exactly(item);
  }
  item.data.swap(item.spare);
}

void FibStages::compute_exactly(StreamItem& item) {
  const FibChunk inputs = inputs_in(item);
  std::size_t most = 0;
  for (const std::uint64_t n : inputs.n) {
    const unsigned places = n <= decimals_.largest() ? table_places : least_digit_places;
    most += digit_bytes * most_sequence_digits(n, Radix{.places = places});
  }
  FibChunkWriter answers{inputs, most, item.spare};
  ContextPool::Context context;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::uint64_t n = inputs.n[i];
    unsigned char mark = inputs.marks[i] & unanswerable_mark;
    if (inputs.is(i, minus_mark) && fibonacci_is_negative_at_minus(n)) mark |= minus_mark;
    std::uint64_t* const to = answers.next_words();
    std::size_t size = 0;
    if (inputs.is(i, unanswerable_mark)) {
      // Nothing is its answer.
    } else if (n <= decimals_.largest()) {
      size = decimals_.write(n, to);
    } else {
      if (!context) context = contexts_.take();
      context->radix = decimal_radix_for_index(n);
      DigitNumber number = sequence_digits(Sequence::fibonacci, n, *context);
      size = number.size;
      std::ranges::copy(number.digits(), to);
      context->spare.give(std::move(number.words));
      if (context->radix.places < table_places) mark |= seventeen_places_mark;
    }
    answers.end(reinterpret_cast<const char*>(to + size), mark, digit_bytes);
  }
  if (context) contexts_.give_back(std::move(context));
}

void FibStages::compute_modulo(StreamItem& item) {
  const FibChunk inputs = inputs_in(item);
  std::vector<std::uint64_t> residues(inputs.size());
  (*modulo_)(inputs.n, residues);
  FibChunkWriter answers{inputs, 2 * digit_bytes * inputs.size(), item.spare};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::uint64_t residue = residues[i];
    unsigned char mark = inputs.marks[i] & unanswerable_mark;
    if (inputs.is(i, minus_mark) && fibonacci_is_negative_at_minus(inputs.n[i])) {
      mark |= reflected_mark;
      if (residue != 0) residue = asked_.modulus - residue;
    }
    std::uint64_t* to = answers.next_words();
    if (!inputs.is(i, unanswerable_mark)) {
      for (; residue != 0; residue /= table_base) *to++ = residue % table_base;
    }
    answers.end(reinterpret_cast<const char*>(to), mark, digit_bytes);
  }
}

void FibStages::write_lines(StreamItem& item) const {
  const FibChunk numbers = answers_in(item);
  // A sign, a newline, and a zero where there is no digit; the first digit may be written in twenty places.
  constexpr std::size_t beside_digits = 4;
  const std::size_t most =
      (numbers.ends.empty() ? 0 : table_places * numbers.ends.back()) + beside_digits * numbers.size() + table_places;
  FibChunkWriter answers{numbers, most, item.spare};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    char* to = answers.next();
    if (!numbers.is(i, unanswerable_mark)) {
      if (numbers.is(i, minus_mark)) *to++ = '-';
      to = write_decimal(numbers.digits(i), numbers.is(i, seventeen_places_mark) ? table_places - 1 : table_places, to);
    }
    *to++ = '\n';
    answers.end(to, numbers.marks[i], 1);
  }
  item.data.swap(item.spare);
}

void FibStages::digest(StreamItem& item) const {
  const FibChunk lines = answers_in(item);
  item.spare.resize(digit_bytes * (lines.size() + 1));
  auto* const digests = reinterpret_cast<std::uint64_t*>(item.spare.data());
  for (std::size_t i = 0; i < lines.size(); ++i) digests[i] = digest_of_line(lines.line(i));
  digests[lines.size()] = lines.lines().size();
  item.data.swap(item.spare);
}

void FibStages::check_lines(StreamItem& item) const {
  const FibChunk lines = answers_in(item);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.is(i, unanswerable_mark)) continue;
    std::string_view text = lines.line(i);
    if (by_addition_) {
      std::uint64_t right = (*by_addition_)(lines.n[i]);
      if (lines.is(i, reflected_mark) && right != 0) right = asked_.modulus - right;
      if (number_in(text) != right) {
        throw std::runtime_error("F(n) modulo " + std::to_string(asked_.modulus) + " is " + std::string{text} +
                                 " for n or -n = " + std::to_string(lines.n[i]) + "; " + std::to_string(right) +
                                 " is right");
      }
      continue;
    }
    if (lines.is(i, minus_mark)) {
      if (!text.starts_with('-')) throw std::runtime_error("F(-" + std::to_string(lines.n[i]) + ") has no minus");
      text.remove_prefix(1);
    }
    if (const auto objection = text_check_->objection(lines.n[i], text)) throw std::runtime_error(*objection);
  }
  item.spare.clear();
  item.spare.append(lines.lines());
  item.data.swap(item.spare);
}

FibStages::Sample FibStages::sample() {
  constexpr std::array<std::uint64_t, 3> numbers{100, 1'000, 10'000};
  std::vector<std::uint64_t> n;
  for (const std::uint64_t number : numbers) n.insert(n.end(), 8, std::min(number, asked_.largest));
  Sample best;
  // The first time reads tables for the first time.
  constexpr int repeats = 3;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    StreamItem item;
    write_inputs(item, n);
    Sample now;
    now.bytes.push_back(static_cast<double>(item.data.size()));
    for (std::size_t stage = 0; stage < stream_.stages.size(); ++stage) {
      const std::int64_t begin = nanoseconds_now();
      if (stage == 0) {
        compute(item);
      } else {
        stream_.stages[stage].act(item);
      }
      now.seconds.push_back(1e-9 * static_cast<double>(nanoseconds_now() - begin));
      now.bytes.push_back(static_cast<double>(item.data.size()));
    }
    for (std::size_t stage = 0; stage < best.seconds.size(); ++stage) {
      now.seconds[stage] = std::min(now.seconds[stage], best.seconds[stage]);
    }
    best = std::move(now);
  }
  return best;
}

StageFigures FibStages::source_figures() const {
  return {.name = asked_.ready ? "read" : "source",
          .kind = asked_.ready ? StageKind::disk : StageKind::computing,
          .in_order = true,
          .items = source_.items,
          .bytes_out = source_.bytes,
          .useful_seconds = 1e-9 * static_cast<double>(source_.nanoseconds)};
}

StageFigures FibStages::take_figures() const {
  const bool writes = asked_.answers == FibStream::Answers::lines;
  return {.name = writes ? "write" : "take",
          .kind = writes ? StageKind::disk : StageKind::computing,
          .in_order = true,
          .items = take_.items,
          .bytes_in = take_.bytes,
          .bytes_out = take_.bytes,
          .useful_seconds = 1e-9 * static_cast<double>(take_.nanoseconds),
          .queued_seconds = 1e-9 * static_cast<double>(take_.queued_nanoseconds)};
}

}  // namespace duet
