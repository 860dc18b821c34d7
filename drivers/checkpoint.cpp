#include "drivers/checkpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/files/file_error.hpp"
#include "drivers/files/output_file.hpp"
#include "kernels/core/digest.hpp"
#include "kernels/core/mpi.hpp"

namespace duet {
namespace {

constexpr std::int64_t head_bytes = 512;
constexpr std::string_view format = "duet checkpoint 1";
constexpr std::int64_t word_bytes = sizeof(std::uint64_t);

std::string letter_of(Sequence sequence) { return sequence == Sequence::lucas ? "L" : "F"; }

/// Reads so many bytes at `offset`, all of them.
void read_fully(int file, const std::string& path, std::int64_t offset, char* into, std::int64_t bytes) {
  while (bytes > 0) {
    const ssize_t count = ::pread(file, into, static_cast<std::size_t>(bytes), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_in_system(path, "cannot read", errno);
    if (count == 0) fail(path, "became shorter while it was read");
    into += count;
    offset += count;
    bytes -= count;
  }
}

/// Of the number's digits, and not of the zeros behind them, of which there are more or less by the number of ranks.
template <class Digit>
std::string digest_of(std::span<const Stretch<Digit>> stretches, std::int64_t digits, MPI_Comm communicator) {
  std::uint64_t sum = 0;
  for (const auto& stretch : stretches) {
    sum += hash_of_digits(stretch.digits, stretch.place, static_cast<std::size_t>(digits));
  }
  return digest_text(summed(sum, communicator));
}

std::int64_t largest(std::int64_t mine, MPI_Comm communicator) {
  if (communicator != MPI_COMM_NULL) {
    check(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT64_T, MPI_MAX, communicator));
  }
  return mine;
}

/// The k-th stretches of all ranks follow each other without a gap, and each k begins where the one before ended.
void append(OutputFile& output, std::span<const Stretch<const std::uint64_t>> mine) {
  const std::int64_t count = largest(std::ssize(mine), output.communicator());
  std::uint64_t done = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    const Stretch<const std::uint64_t> now =
        k < std::ssize(mine) ? mine[static_cast<std::size_t>(k)] : Stretch<const std::uint64_t>{.place = done};
    const std::string_view bytes{reinterpret_cast<const char*>(now.digits.data()), now.digits.size_bytes()};
    const Piece piece{static_cast<std::int64_t>(now.place - done) * word_bytes, std::ssize(bytes)};
    output.append_scattered({&piece, 1}, bytes);
    done += summed(now.digits.size(), output.communicator());
  }
}

}  // namespace

Checkpoint::Checkpoint(std::string path, const FibNumber& asked, MPI_Comm communicator)
    : path_{std::move(path)}, asked_{asked}, communicator_{communicator} {
  // What cannot be written is refused before anything is computed.
  if (OutputFile{path_, communicator_}.is_stream()) fail(path_, "cannot be a checkpoint: it is no file");
  together(communicator_, [&] {
    file_ = Descriptor{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file_.get() < 0 && errno != ENOENT) fail_in_system(path_, "cannot open", errno);
    if (file_.get() < 0) return;
    const Head found = head();
    start_ = DoublingRecord::Start{.left = found.left, .digits = static_cast<std::size_t>(found.digits)};
    start_->read = [this, found](Sequence which, std::span<const Stretch<std::uint64_t>> mine) {
      read(found, which, mine);
    };
  });
}

Checkpoint::Head Checkpoint::head() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail_in_system(path_, "cannot look at", errno);
  if (!S_ISREG(status.st_mode) || status.st_size < head_bytes) fail(path_, "is no checkpoint of duet");
  std::string text(head_bytes, '\0');
  read_fully(file_.get(), path_, 0, text.data(), head_bytes);
  const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
  if (!line.is_object() || line.value("format", "") != format) fail(path_, "is no checkpoint of duet");
  Head head;
  try {
    const auto number = [](const std::string& sequence, std::uint64_t n, const std::string& radix) {
      return fmt::format("{}({}) in base {}", sequence, n, radix);
    };
    const std::string of = number(line.at("sequence").get<std::string>(), line.at("n").get<std::uint64_t>(),
                                  line.at("radix").get<std::string>());
    const std::string wanted = number(letter_of(asked_.sequence), asked_.n, radix_text(asked_.radix()));
    if (of != wanted) fail(path_, fmt::format("is a checkpoint of {}, and not of {}", of, wanted));
    head = {.left = line.at("left").get<unsigned>(),
            .digits = line.at("digits").get<std::int64_t>(),
            .length = line.at("length").get<std::int64_t>(),
            .fibonacci = line.at("fibonacci").get<std::string>(),
            .lucas = line.at("lucas").get<std::string>()};
  } catch (const nlohmann::json::exception&) {
    fail(path_, "is a checkpoint of duet with a damaged first line; remove it to begin anew");
  }
  constexpr std::int64_t least_digits = 64;
  const bool left_is_right = 1 <= head.left && head.left < 64;
  const std::int64_t most =
      left_is_right ? static_cast<std::int64_t>(most_sequence_digits(asked_.n >> head.left, asked_.radix())) : 0;
  if (head.digits < least_digits || head.digits > most || head.length < head.digits) {
    fail(path_, "is a checkpoint of duet with a damaged first line; remove it to begin anew");
  }
  const std::int64_t bytes = head_bytes + 2 * head.length * word_bytes;
  if (status.st_size != bytes) {
    fail(path_, fmt::format("has {} bytes, and its first line speaks of {}; remove it to begin anew",
                            static_cast<std::int64_t>(status.st_size), bytes));
  }
  return head;
}

void Checkpoint::read(const Head& head, Sequence which, std::span<const Stretch<std::uint64_t>> mine) const {
  const bool lucas = which == Sequence::lucas;
  const std::int64_t first = head_bytes + (lucas ? head.length * word_bytes : 0);
  together(communicator_, [&] {
    for (const Stretch<std::uint64_t>& stretch : mine) {
      const std::int64_t place = std::min(static_cast<std::int64_t>(stretch.place), head.length);
      const std::int64_t there = std::min(std::ssize(stretch.digits), head.length - place);
      read_fully(file_.get(), path_, first + place * word_bytes, reinterpret_cast<char*>(stretch.digits.data()),
                 there * word_bytes);
      std::ranges::fill(stretch.digits.subspan(static_cast<std::size_t>(there)), 0);
    }
  });
  const std::string found = digest_of(mine, head.digits, communicator_);
  const std::string& written = lucas ? head.lucas : head.fibonacci;
  if (found != written) {
    fail(path_, fmt::format("is damaged: its digits have the digest {}, and its first line says {}; remove it to begin "
                            "anew",
                            found, written));
  }
}

void Checkpoint::keep(const DoublingStep& step) {
  const auto length = static_cast<std::int64_t>(step.length);
  nlohmann::json line{{"format", format},     {"sequence", letter_of(asked_.sequence)},
                      {"n", asked_.n},        {"radix", radix_text(asked_.radix())},
                      {"left", step.left},    {"digits", step.digits},
                      {"length", step.length}};
  const auto digits = static_cast<std::int64_t>(step.digits);
  line["fibonacci"] = digest_of(std::span{step.fibonacci}, digits, communicator_);
  line["lucas"] = digest_of(std::span{step.lucas}, digits, communicator_);
  std::string head = line.dump();
  head.resize(head_bytes - 1, ' ');
  head += '\n';
  OutputFile output{path_, communicator_};
  output.reserve(head_bytes + 2 * length * word_bytes);
  output.append(rank_in(communicator_) == 0 ? std::string_view{head} : std::string_view{});
  append(output, step.fibonacci);
  append(output, step.lucas);
  output.commit();
}

void Checkpoint::remove() {
  if (rank_in(communicator_) == 0) ::unlink(path_.c_str());
}

}  // namespace duet
