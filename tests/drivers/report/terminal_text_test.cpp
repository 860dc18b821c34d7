#include "drivers/report/terminal_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace duet {
namespace {

TEST(TerminalText, PassesOnNothingThatATerminalActsUpon) {
  EXPECT_EQ(printable("a\x1b[31mb", true), "a?[31mb");
  EXPECT_EQ(printable("a\rb\x07\x7f", true), "a?b??");
  EXPECT_EQ(printable("one\ntwo\tthree", true), "one two three");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m",
                      true),
            "?31m");                                          // CSI as one character
  EXPECT_EQ(printable("x\u202Egnp.exe", true), "x?gnp.exe");  // right-to-left override
  EXPECT_EQ(printable(std::string{"nul\0!", 5}, true), "nul?!");
}

TEST(TerminalText, ReplacesWhatIsNotUtf8ByteByByte) {
  EXPECT_EQ(printable("\xff\xfe", true), "??");
  EXPECT_EQ(printable("\xc3", true), "?");                 // cut off
  EXPECT_EQ(printable("\xc0\xaf", true), "??");            // longer than need be
  EXPECT_EQ(printable("\xed\xa0\x80", true), "???");       // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80", true), "????");  // beyond the last character
}

TEST(TerminalText, SpellsOutWhatIsBeyondAscii) {
  EXPECT_EQ(printable("2×3 ± 4 µs … “q” – é", false), "2x3 +- 4 us ... \"q\" - ?");
  EXPECT_EQ(printable("2×3 é 数", true), "2×3 é 数");
}

TEST(TerminalText, CountsColumnsAsATerminalDoes) {
  EXPECT_EQ(columns_of("abc"), 3);
  EXPECT_EQ(columns_of("é×"), 2);
  EXPECT_EQ(columns_of("数学"), 4);
  EXPECT_EQ(columns_of("e\u0301"), 1);
  EXPECT_EQ(columns_of("\U0001F600"), 2);
}

TEST(TerminalText, FillsColumnsExactly) {
  EXPECT_EQ(to_the_right("ab", 4), "  ab");
  EXPECT_EQ(to_the_left("ab", 4), "ab  ");
  EXPECT_EQ(to_the_left("abcdef", 4), "ab..");
  EXPECT_EQ(to_the_right("数学数学", 5), " 数..");  // the second would begin in the last column
  EXPECT_EQ(to_the_right("abc", 2), "ab");
  EXPECT_EQ(to_the_right("abc", 0), "");
}

TEST(TerminalText, BreaksLinesAtBlanksAndOverlongWordsInside) {
  EXPECT_EQ(wrapped("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("  a   b ", 10), (std::vector<std::string>{"a b"}));
  EXPECT_EQ(wrapped("abcdefgh ij", 3), (std::vector<std::string>{"abc", "def", "gh", "ij"}));
  EXPECT_EQ(wrapped("数学", 3), (std::vector<std::string>{"数", "学"}));
  EXPECT_EQ(wrapped("数", 1), (std::vector<std::string>{"数"}));
  EXPECT_TRUE(wrapped("", 5).empty());
}

}  // namespace
}  // namespace duet
