#pragma once

/// Compressed files in memory, through their libraries: gzip (RFC 1952, zlib), bzip2 (libbzip2) and zstd (RFC 8878,
/// libzstd). Known by their first bytes. Members or frames that follow each other are one text, as all three have it.
///
/// On one core of a Zen 4, of matrices of small whole numbers: none 10 GB/s, zstd 1, gzip 0.4, bzip2 0.03 GB/s
/// decompressed.

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "kernels/pipeline/stream/bytes.hpp"

namespace duet {

enum class Codec { none, gzip, bzip2, zstd };
inline constexpr std::array<Codec, 4> codecs{Codec::none, Codec::gzip, Codec::bzip2, Codec::zstd};

/// "gzip".
[[nodiscard]] std::string_view name_of(Codec codec);
/// What file names end in: ".gz"; empty for none.
[[nodiscard]] std::string_view suffix_of(Codec codec);
/// Throws std::invalid_argument, which says what there is.
[[nodiscard]] Codec codec_called(std::string_view name);
/// By the first bytes.
[[nodiscard]] Codec codec_of(std::string_view file);

/// A compressed text that is damaged or ends too early: what, and at which of its bytes.
struct CodecError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `to` becomes what `file` is when decompressed, whatever it is compressed with; with Codec::none a copy. Throws
/// CodecError, and std::length_error for what would be longer than `most` bytes: a few bytes may stand for terabytes.
void decompress(std::string_view file, Bytes& to, std::size_t most = SIZE_MAX / 2);

/// `to` becomes `text`, compressed at the codec's own preset level: gzip 6, bzip2 9, zstd 3.
void compress(Codec codec, std::string_view text, Bytes& to);

}  // namespace duet
