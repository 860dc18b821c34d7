#include "kernels/pipeline/matrix_stream/codec.hpp"

#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <string>

namespace duet {
namespace {

[[noreturn]] void fail(Codec codec, std::size_t byte, std::string_view what) {
  throw CodecError("byte " + std::to_string(byte) + ": " + std::string{name_of(codec)} + " " + std::string{what});
}

/// Room for what comes next: the text grows by half, or by as much again as `in` has where nothing is there yet.
void make_more_room(Bytes& to, std::size_t used, std::size_t in, std::size_t most) {
  if (used >= most) {
    throw std::length_error("decompressed it is longer than " + std::to_string(most) + " bytes");
  }
  constexpr std::size_t least = 1U << 16U;
  const std::size_t wanted = std::max({least, 4 * in, used + used / 2});
  to.resize(used);
  to.resize(std::min(std::max(wanted, to.room()), most));
}

/// Sizes that the two older libraries take.
unsigned int piece(std::size_t size) {
  return static_cast<unsigned int>(std::min<std::size_t>(size, std::numeric_limits<unsigned int>::max()));
}

class Inflation {
 public:
  static constexpr Codec codec = Codec::gzip;

  Inflation() {
    constexpr int largest_window_gzip = 15 + 16;
    if (inflateInit2(&stream_, largest_window_gzip) != Z_OK) throw std::bad_alloc{};
  }
  ~Inflation() { inflateEnd(&stream_); }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  enum class State { more, ended, damaged };
  State step(std::string_view& in, char*& to, std::size_t room) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = piece(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = piece(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(static_cast<std::size_t>(reinterpret_cast<const char*>(stream_.next_in) - in.data()));
    to = reinterpret_cast<char*>(stream_.next_out);
    if (result == Z_MEM_ERROR) throw std::bad_alloc{};
    if (result == Z_STREAM_END) return State::ended;
    return result == Z_OK || result == Z_BUF_ERROR ? State::more : State::damaged;
  }
  void begin_member() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

class BlockSorting {
 public:
  static constexpr Codec codec = Codec::bzip2;

  BlockSorting() { open(); }
  ~BlockSorting() { BZ2_bzDecompressEnd(&stream_); }
  BlockSorting(const BlockSorting&) = delete;
  BlockSorting& operator=(const BlockSorting&) = delete;

  using State = Inflation::State;
  State step(std::string_view& in, char*& to, std::size_t room) {
    stream_.next_in = const_cast<char*>(in.data());
    stream_.avail_in = piece(in.size());
    stream_.next_out = to;
    stream_.avail_out = piece(room);
    const int result = BZ2_bzDecompress(&stream_);
    in.remove_prefix(static_cast<std::size_t>(stream_.next_in - in.data()));
    to = stream_.next_out;
    if (result == BZ_MEM_ERROR) throw std::bad_alloc{};
    if (result == BZ_STREAM_END) return State::ended;
    return result == BZ_OK ? State::more : State::damaged;
  }
  void begin_member() {
    BZ2_bzDecompressEnd(&stream_);
    open();
  }

 private:
  void open() {
    stream_ = {};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc{};
  }

  bz_stream stream_{};
};

/// The two libraries whose streams end and begin anew.
template <class Stream>
void decompress_members(std::string_view file, Bytes& to, std::size_t most) {
  Stream stream;
  std::string_view in = file;
  std::size_t used = 0;
  const auto byte = [&] { return file.size() - in.size(); };
  while (true) {
    if (used == to.size()) make_more_room(to, used, file.size(), most);
    char* end = to.data() + used;
    const std::size_t before = in.size();
    const auto state = stream.step(in, end, to.size() - used);
    const bool moved = in.size() != before || end != to.data() + used;
    used = static_cast<std::size_t>(end - to.data());
    if (state == Inflation::State::damaged) fail(Stream::codec, byte(), "is damaged");
    if (state == Inflation::State::ended) {
      if (in.empty()) break;
      if (codec_of(in) != Stream::codec) fail(Stream::codec, byte(), "is followed by something else");
      stream.begin_member();
    } else if (!moved || (in.empty() && used < to.size())) {
      fail(Stream::codec, byte(), "ends too early");
    }
  }
  to.resize(used);
}

void decompress_frames(std::string_view file, Bytes& to, std::size_t most) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context{ZSTD_createDCtx(), ZSTD_freeDCtx};
  if (context == nullptr) throw std::bad_alloc{};
  const unsigned long long announced = ZSTD_getFrameContentSize(file.data(), file.size());
  if (announced != ZSTD_CONTENTSIZE_UNKNOWN && announced != ZSTD_CONTENTSIZE_ERROR && announced <= most &&
      announced / 4096 <= file.size()) {
    to.reserve(static_cast<std::size_t>(announced));
  }
  ZSTD_inBuffer in{file.data(), file.size(), 0};
  std::size_t used = 0;
  std::size_t left = 1;
  to.resize(to.room());
  while (in.pos < in.size || left != 0) {
    if (used == to.size()) make_more_room(to, used, file.size(), most);
    ZSTD_outBuffer out{to.data(), to.size(), used};
    const std::size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) fail(Codec::zstd, in.pos, std::string{"is damaged: "} + ZSTD_getErrorName(left));
    if (left != 0 && in.pos == in.size && in.pos == before && out.pos == used)
      fail(Codec::zstd, in.pos, "ends too early");
    if (left != 0 && in.pos == in.size && out.pos < out.size) fail(Codec::zstd, in.pos, "ends too early");
    used = out.pos;
  }
  to.resize(used);
}

void deflate_into(std::string_view text, Bytes& to) {
  z_stream stream{};
  constexpr int window_gzip = 15 + 16;
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_gzip, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc{};
  }
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> owner{&stream, deflateEnd};
  to.resize(deflateBound(&stream, text.size()));
  std::size_t used = 0;
  std::string_view in = text;
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = piece(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(to.data() + used);
    stream.avail_out = piece(to.size() - used);
    const std::size_t given = stream.avail_in;
    const std::size_t room = stream.avail_out;
    result = deflate(&stream, given == in.size() ? Z_FINISH : Z_NO_FLUSH);
    in.remove_prefix(given - stream.avail_in);
    used += room - stream.avail_out;
    if (result == Z_STREAM_ERROR) throw std::bad_alloc{};
  }
  to.resize(used);
}

void sort_blocks_into(std::string_view text, Bytes& to) {
  bz_stream stream{};
  constexpr int hundreds_of_thousands_a_block = 9;
  if (BZ2_bzCompressInit(&stream, hundreds_of_thousands_a_block, 0, 0) != BZ_OK) throw std::bad_alloc{};
  const std::unique_ptr<bz_stream, decltype(&BZ2_bzCompressEnd)> owner{&stream, BZ2_bzCompressEnd};
  // The manual's bound: a hundredth more, and 600 bytes.
  to.resize(text.size() + text.size() / 100 + 600);
  std::size_t used = 0;
  std::string_view in = text;
  int result = BZ_RUN_OK;
  while (result != BZ_STREAM_END) {
    stream.next_in = const_cast<char*>(in.data());
    stream.avail_in = piece(in.size());
    stream.next_out = to.data() + used;
    stream.avail_out = piece(to.size() - used);
    const std::size_t given = stream.avail_in;
    const std::size_t room = stream.avail_out;
    result = BZ2_bzCompress(&stream, given == in.size() ? BZ_FINISH : BZ_RUN);
    in.remove_prefix(given - stream.avail_in);
    used += room - stream.avail_out;
    if (result < 0) throw std::bad_alloc{};
  }
  to.resize(used);
}

void make_frame(std::string_view text, Bytes& to) {
  constexpr int level = 3;
  // Making the tables takes as long as compressing some tens of KB.
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(), ZSTD_freeCCtx};
  if (context == nullptr) throw std::bad_alloc{};
  to.resize(ZSTD_compressBound(text.size()));
  const std::size_t used = ZSTD_compressCCtx(context.get(), to.data(), to.size(), text.data(), text.size(), level);
  if (ZSTD_isError(used) != 0) throw std::runtime_error(std::string{"zstd: "} + ZSTD_getErrorName(used));
  to.resize(used);
}

}  // namespace

std::string_view name_of(Codec codec) {
  constexpr std::array<std::string_view, codecs.size()> names{"none", "gzip", "bzip2", "zstd"};
  return names.at(static_cast<std::size_t>(codec));
}

std::string_view suffix_of(Codec codec) {
  constexpr std::array<std::string_view, codecs.size()> suffixes{"", ".gz", ".bz2", ".zst"};
  return suffixes.at(static_cast<std::size_t>(codec));
}

Codec codec_called(std::string_view name) {
  for (const Codec codec : codecs) {
    if (name_of(codec) == name) return codec;
  }
  throw std::invalid_argument("codec '" + std::string{name} + "': none, gzip, bzip2 or zstd was expected");
}

Codec codec_of(std::string_view file) {
  using namespace std::string_view_literals;
  if (file.starts_with("\x1f\x8b"sv)) return Codec::gzip;
  if (file.starts_with("BZh"sv)) return Codec::bzip2;
  if (file.starts_with("\x28\xb5\x2f\xfd"sv)) return Codec::zstd;
  return Codec::none;
}

void decompress(std::string_view file, Bytes& to, std::size_t most) {
  to.clear();
  switch (codec_of(file)) {
    case Codec::gzip:
      return decompress_members<Inflation>(file, to, most);
    case Codec::bzip2:
      return decompress_members<BlockSorting>(file, to, most);
    case Codec::zstd:
      return decompress_frames(file, to, most);
    case Codec::none:
      return to.append(file);
  }
}

void compress(Codec codec, std::string_view text, Bytes& to) {
  to.clear();
  switch (codec) {
    case Codec::gzip:
      return deflate_into(text, to);
    case Codec::bzip2:
      return sort_blocks_into(text, to);
    case Codec::zstd:
      return make_frame(text, to);
    case Codec::none:
      return to.append(text);
  }
}

}  // namespace duet
