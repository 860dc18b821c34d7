#include "tests/drivers/files/scratch_folder.hpp"

#include <zlib.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace duet {

std::string ScratchFolder::file(std::string_view name, std::string_view content) const {
  std::ofstream out{folder_ / name, std::ios::binary};
  out << content;
  if (!out.flush()) throw std::runtime_error("cannot write " + path(name));
  return path(name);
}

std::size_t ScratchFolder::entries() const {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{folder_.path()}, std::filesystem::directory_iterator{}));
}

std::string content_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc{};
  }
  std::string member(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(member.data());
  stream.avail_out = static_cast<uInt>(member.size());
  deflate(&stream, Z_FINISH);
  member.resize(member.size() - stream.avail_out);
  deflateEnd(&stream);
  return member;
}

}  // namespace duet
