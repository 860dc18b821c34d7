#pragma once

/// A stream whose items are numbers, and whose end knows what should come out.

#include <atomic>
#include <charconv>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/pipeline/stream/stream.hpp"

namespace duet {

/// How many are inside at once, at the most.
class Crowd {
 public:
  void enter() {
    const int now = ++inside_;
    int before = most_.load();
    while (before < now && !most_.compare_exchange_weak(before, now)) continue;
  }
  void leave() { --inside_; }
  [[nodiscard]] int most() const { return most_.load(); }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<int> most_ = 0;
};

struct CountingStream {
  explicit CountingStream(std::int64_t items) : count{items} {
    stream.next = [this](StreamItem& item) {
      if (asked.load() == count) return false;
      EXPECT_EQ(item.index, asked.load());
      const std::string text = std::to_string(asked++);
      item.data.clear();
      item.data.append(text);
      const std::int64_t under_way = asked.load() - taken_count.load();
      if (under_way > most_under_way.load()) most_under_way = under_way;
      return true;
    };
    stream.take = [this](StreamItem& item) {
      EXPECT_EQ(item.index, static_cast<std::int64_t>(taken.size())) << "out of order";
      taken.emplace_back(item.fault.empty() ? std::string{item.data.text()} : "fault: " + item.fault);
      ++taken_count;
    };
  }

  /// Appends a letter to the number.
  [[nodiscard]] static StreamStage letter(char c, StageKind kind = StageKind::computing, bool in_order = false) {
    return {.name = std::string(1, c), .kind = kind, .in_order = in_order, .act = [c](StreamItem& item) {
              item.spare.clear();
              item.spare.append(item.data.text());
              item.spare.append({&c, 1});
              item.data.swap(item.spare);
            }};
  }

  void expect_all_taken(const std::string& letters) const {
    ASSERT_EQ(taken.size(), static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < taken.size(); ++i) ASSERT_EQ(taken[i], std::to_string(i) + letters);
  }

  Stream stream;
  std::int64_t count;
  std::atomic<std::int64_t> asked = 0;
  std::atomic<std::int64_t> most_under_way = 0;
  std::vector<std::string> taken;
  std::atomic<std::int64_t> taken_count = 0;  ///< for the source, which may be asked meanwhile
};

}  // namespace duet
