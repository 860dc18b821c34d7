#include "kernels/pipeline/matrix_stream/codec.hpp"

#include <gtest/gtest.h>

#include <string>

#include "kernels/core/random.hpp"

namespace duet {
namespace {

std::string noise(std::size_t bytes, unsigned different) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + random_bits(3, 0, i) % different);
  return text;
}

std::string packed(Codec codec, const std::string& text) {
  Bytes to;
  compress(codec, text, to);
  return std::string{to.text()};
}

std::string unpacked(const std::string& file) {
  Bytes to;
  decompress(file, to);
  return std::string{to.text()};
}

class EveryCodec : public testing::TestWithParam<Codec> {};

TEST_P(EveryCodec, GivesBackWhatItTook) {
  for (const std::size_t bytes : {0U, 1U, 2U, 1000U, 65'535U, 65'536U, 65'537U, 3'000'000U}) {
    for (const unsigned different : {1U, 3U, 200U}) {
      const std::string text = noise(bytes, different);
      const std::string file = packed(GetParam(), text);
      EXPECT_EQ(codec_of(file), GetParam()) << bytes;
      ASSERT_TRUE(unpacked(file) == text) << bytes << " of " << different;
    }
  }
}

TEST_P(EveryCodec, TakesMembersThatFollowEachOther) {
  const std::string one = noise(5000, 5);
  const std::string other = noise(100, 9);
  const std::string file = packed(GetParam(), one) + packed(GetParam(), other) + packed(GetParam(), "");
  EXPECT_TRUE(unpacked(file) == one + other);
}

TEST_P(EveryCodec, RefusesEveryTruncation) {
  if (GetParam() == Codec::none) return;
  const std::string file = packed(GetParam(), noise(3000, 7));
  for (std::size_t kept = 4; kept < file.size(); kept += 1 + file.size() / 97) {
    EXPECT_THROW(unpacked(file.substr(0, kept)), CodecError) << kept << " of " << file.size();
  }
}

TEST_P(EveryCodec, SaysAtWhichByteAFileBreaksOff) {
  if (GetParam() == Codec::none) return;
  const std::string file = packed(GetParam(), noise(300'000, 200));
  try {
    unpacked(file.substr(0, 100'000));
    FAIL() << "no complaint";
  } catch (const CodecError& error) {
    EXPECT_EQ(std::string{error.what()}, "byte 100000: " + std::string{name_of(GetParam())} + " ends too early");
  }
}

TEST_P(EveryCodec, RefusesAFileOfWhichABitIsWrong) {
  // A zstd frame made in one call carries no check sum, so that only the structure can tell.
  if (GetParam() == Codec::none || GetParam() == Codec::zstd) return;
  const std::string text = noise(20'000, 30);
  const std::string file = packed(GetParam(), text);
  for (std::size_t byte = file.size() / 3; byte < file.size(); byte += 1 + file.size() / 31) {
    std::string wrong = file;
    wrong[byte] = static_cast<char>(wrong[byte] ^ 0x10);
    EXPECT_THROW(unpacked(wrong), CodecError) << byte;
  }
}

TEST_P(EveryCodec, RefusesWhatIsLongerThanAllowed) {
  if (GetParam() == Codec::none) return;
  const std::string file = packed(GetParam(), std::string(10'000'000, 'x'));
  Bytes to;
  EXPECT_THROW(decompress(file, to, 1'000'000), std::length_error);
  EXPECT_LT(to.room(), 2'000'000U);
}

INSTANTIATE_TEST_SUITE_P(Codecs, EveryCodec, testing::ValuesIn(codecs),
                         [](const auto& given) { return std::string{name_of(given.param)}; });

TEST(Codec, OfAnythingElseIsNone) {
  EXPECT_EQ(codec_of(""), Codec::none);
  EXPECT_EQ(codec_of("B"), Codec::none);
  EXPECT_EQ(codec_of("%%MatrixMarket"), Codec::none);
}

TEST(Codec, UnknownNamesAreRefusedWithThoseThereAre) {
  try {
    static_cast<void>(codec_called("xz"));
    FAIL() << "no complaint";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "codec 'xz': none, gzip, bzip2 or zstd was expected");
  }
}

}  // namespace
}  // namespace duet
