#include "kernels/pipeline/stream/bytes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace duet {
namespace {

TEST(Bytes, OfAPageBeginAtOneAndOfALargePageToo) {
  for (const std::size_t size : {std::size_t{4096}, std::size_t{70'000}, huge_page, huge_page + 128, 3 * huge_page}) {
    Bytes bytes;
    bytes.resize(size);
    const std::size_t unit = size < huge_page ? 4096 : huge_page;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % unit, 0U) << size;
  }
}

TEST(Bytes, KeepWhatTheyHoldWhileTheyGrow) {
  Bytes bytes;
  EXPECT_EQ(bytes.text(), "");
  std::string text;
  for (const std::size_t size : {1UL, 4000UL, 5000UL, 3'000'000UL, 9'000'000UL}) {
    const std::string more(size, static_cast<char>('a' + text.size() % 26));
    bytes.append(more);
    text += more;
    ASSERT_TRUE(bytes.text() == text) << size;
  }
  Bytes moved{std::move(bytes)};
  EXPECT_TRUE(moved.text() == text);
  moved.resize(3);
  EXPECT_EQ(moved.text(), text.substr(0, 3));
  EXPECT_GE(moved.room(), text.size());
}

}  // namespace
}  // namespace duet
