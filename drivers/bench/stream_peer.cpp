// What streams of files are compared with: serial streams side by side that share nothing; lbzip2 and Python's pools on
// the same blocks of bzip2; and threads that read and write the same files, or read and hash them, and do nothing else.

#include <fmt/format.h>
#include <xxhash.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "drivers/bench/peer.hpp"
#include "drivers/study/launch.hpp"
#include "kernels/core/partition.hpp"
#include "kernels/pipeline/matrix_stream/stream_files.hpp"
#include "kernels/registry.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

struct StreamCase {
  explicit StreamCase(const PeerOptions& options) {
    const Problem& problem = problem_called("matrix_stream");
    const Instance instance = problem.pose(options.size, 1, options.parameters);
    question = StreamQuestion::of(instance);
    trial = trial_of(problem, instance, Model::openmp, options.threads);
  }

  StreamQuestion question;
  Trial trial;
};

/// The stream in as many serial ones as there are workers, each with its share of the files.
void run_apart(const PeerOptions& options) {
  const StreamCase asked{options};
  struct Part {
    explicit Part(const StreamQuestion& question)
        : files{question, 1}, stream{files.stream()}, plan{plan_matrix_stream(stream, Model::serial, {})} {}
    StreamFiles files;
    MatrixStream stream;
    MatrixStreamPlan plan;
  };
  std::vector<std::unique_ptr<Part>> parts;
  for (int k = 0; k < options.threads; ++k) {
    StreamQuestion question = asked.question;
    question.files = share_of(question.files, options.threads, k).size();
    parts.push_back(std::make_unique<Part>(question));
  }
  time_and_judge(
      options, asked.trial,
      [&] {
        for (const auto& part : parts) part->files.clear();
      },
      [&] {
        side_by_side(options.threads, options.threads, [&](int k) {
          const Part& part = *parts[static_cast<std::size_t>(k)];
          matrix_stream_serial(part.stream, part.plan, {});
        });
      },
      [&] {
        for (const auto& part : parts) {
          const Judgement judgement = part->files.judge(asked.question.seed, MPI_COMM_NULL);
          if (!judgement.right) return judgement;
        }
        return Judgement{.right = true};
      });
}

/// A word of each page.
std::uint64_t sampled(const Bytes& file) {
  constexpr std::size_t page = 4096;
  std::uint64_t sum = file.size();
  for (std::size_t place = 0; place + sizeof sum <= file.size(); place += page) {
    std::uint64_t word = 0;
    std::memcpy(&word, file.data() + place, sizeof word);
    sum = sum * 0x9e3779b97f4a7c15U + word;
  }
  return sum;
}
/// All of it, as a stream does that only reads.
std::uint64_t hashed(const Bytes& file) { return XXH3_64bits(file.data(), file.size()); }

/// All inputs read by some threads, which look at each by `look`, and as many outputs written by others where there are
/// any.
void run_disk(const PeerOptions& options, int readers, int writers, std::uint64_t (&look)(const Bytes& file)) {
  const StreamCase asked{options};
  if (!asked.question.on_disk) throw std::invalid_argument("a disk is measured with --peer-set storage=disk alone");
  if (asked.question.codec != Codec::none) {
    throw std::invalid_argument("files are as long as their products with --peer-set codec=none alone");
  }
  if (asked.question.multiplies != (writers > 0)) {
    throw std::invalid_argument("files are written with --peer-set work=multiply, and then only");
  }
  StreamFiles files{asked.question, options.threads};
  const MatrixStream stream = files.stream();
  const auto count = static_cast<std::size_t>(asked.question.files);
  std::vector<std::uint64_t> expected(count);
  std::vector<std::uint64_t> found(count);
  Bytes result;
  for (std::size_t k = 0; k < count; ++k) {
    stream.read(static_cast<std::int64_t>(k), result);
    expected[k] = look(result);
  }
  std::atomic<std::size_t> next_read = 0;
  std::atomic<std::size_t> next_written = 0;
  // So many files are asked for ahead, where the page cache has to be asked, and written before the first of them is
  // waited for: more gain nothing.
  constexpr std::size_t ahead = 8;
  std::atomic<std::size_t> next_expected = 0;
  time_and_judge(
      options, asked.trial,
      [&] {
        files.clear();
        next_read = 0;
        next_written = 0;
        next_expected = 0;
        std::ranges::fill(found, 0);
      },
      [&] {
        side_by_side(readers + writers, options.threads, [&](int who) {
          Bytes file;
          if (who < readers) {
            for (std::size_t k = next_read++; k < count; k = next_read++) {
              const std::size_t asked_ahead = stream.expect ? std::min(k + ahead, count - 1) + 1 : 0;
              for (std::size_t e = next_expected; e < asked_ahead; e = next_expected) {
                if (next_expected.compare_exchange_strong(e, e + 1)) stream.expect(static_cast<std::int64_t>(e));
              }
              stream.read(static_cast<std::int64_t>(k), file);
              found[k] = look(file);
            }
          } else {
            for (std::size_t k = next_written.fetch_add(ahead); k < count; k = next_written.fetch_add(ahead)) {
              const std::size_t end = std::min(k + ahead, count);
              for (std::size_t i = k; i < end; ++i) stream.write(static_cast<std::int64_t>(i), result.text());
              for (std::size_t i = k; i < end; ++i) stream.settle(static_cast<std::int64_t>(i));
            }
          }
        });
      },
      [&] {
        if (found != expected) return Judgement{.right = false, .explanation = "what was read is not what was written"};
        for (std::size_t k = 0; writers > 0 && k < count; ++k) {
          Bytes written;
          files.output(static_cast<std::int64_t>(k), written);
          if (written.text() != result.text()) {
            return Judgement{.right = false, .explanation = fmt::format("file {} was not written", k)};
          }
        }
        return Judgement{.right = true};
      });
}

/// The files of a question for other programs, until this ends.
class FilesOfOthers {
 public:
  FilesOfOthers(const PeerOptions& options, const StreamCase& asked)
      : folder_{fs::path{options.json}.parent_path() / "blocks"} {
    if (asked.question.multiplies)
      throw std::invalid_argument("other programs only decompress: --peer-set work=decompress");
    fs::create_directory(folder_);
    StreamFiles files{asked.question, options.threads};
    const MatrixStream stream = files.stream();
    std::ofstream all{folder_ / "all.bz2", std::ios::binary};
    Bytes file;
    Bytes text;
    for (std::int64_t k = 0; k < asked.question.files; ++k) {
      stream.read(k, file);
      decompress(file.text(), text);
      sum += crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
      all << file.text();
      std::ofstream{folder_ / std::to_string(k), std::ios::binary} << file.text();
    }
    if (!all.flush()) throw std::runtime_error(fmt::format("{}: cannot be written", folder_.string()));
  }
  ~FilesOfOthers() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  FilesOfOthers(const FilesOfOthers&) = delete;
  FilesOfOthers& operator=(const FilesOfOthers&) = delete;

  [[nodiscard]] std::string folder() const { return folder_.string(); }
  [[nodiscard]] std::string all() const { return (folder_ / "all.bz2").string(); }

  std::uint64_t sum = 0;  ///< of CRC-32 over the decompressed files

 private:
  fs::path folder_;
};

/// Runs another program to its good end, and gives what it said.
std::string said_by(const Command& command) {
  constexpr double time_limit_seconds = 600;
  const StopSignals stop;
  const Ending ending = run_process(command, time_limit_seconds, stop);
  if (ending.how != Ending::How::exited || ending.code != 0) {
    throw std::runtime_error(fmt::format("{} did not end well:\n{}", command.front(), ending.output));
  }
  return ending.output;
}

/// lbzip2 on all blocks as one file. It compares the checksums of all blocks, and writes nothing.
void run_lbzip2(const PeerOptions& options) {
  StreamCase asked{options};
  const FilesOfOthers files{options, asked};
  asked.trial.facts["code_path"] = "lbzip2 -t";
  time_and_judge(
      options, asked.trial, [] {},
      [&] {
        said_by({"lbzip2", "-t", "-n", std::to_string(options.threads), files.all()});
      },
      [] { return Judgement{.right = true}; });
}

/// A pool of Python's standard library, which is there before its clock runs.
void run_python(const PeerOptions& options, const std::string& pool) {
  static constexpr std::string_view script = R"(
import bz2, multiprocessing, multiprocessing.pool, sys, time, zlib
kind, workers, trials, folder, count = sys.argv[1], *map(int, sys.argv[2:4]), sys.argv[4], int(sys.argv[5])
def sum_of(k):
    with open(f"{folder}/{k}", "rb") as file:
        return zlib.crc32(bz2.decompress(file.read()))
pools = {"processes": multiprocessing.Pool, "threads": multiprocessing.pool.ThreadPool}
if __name__ == "__main__":
    with pools[kind](workers) as pool:
        for trial in range(trials):
            begin = time.perf_counter()
            total = sum(pool.map(sum_of, range(count)))
            print(time.perf_counter() - begin, total)
)";
  StreamCase asked{options};
  const FilesOfOthers files{options, asked};
  std::istringstream said{
      said_by({"python3", "-c", std::string{script}, pool, std::to_string(options.threads),
               std::to_string(options.repeat + 1), files.folder(), std::to_string(asked.question.files)})};
  Trial& trial = asked.trial;
  trial.facts["code_path"] = "Python's bz2";
  for (trial.number = 0; trial.number <= options.repeat; ++trial.number) {
    std::uint64_t sum = 0;
    if (!(said >> trial.seconds >> sum)) throw std::runtime_error("python3 said too little:\n" + said.str());
    trial.outcome = sum == files.sum ? Outcome::right : Outcome::wrong;
    trial.message = trial.outcome == Outcome::right ? "" : "the files decompress to something else";
    trial.marks.clear();
    if (trial.number == 0) trial.marks.emplace_back("warm_up");
    append_trial(options.json, trial);
  }
}

}  // namespace

void run_stream_peer(const PeerOptions& options) {
  const std::string& name = options.name;
  int readers = 0;
  int writers = 0;
  if (name == "stream-apart") {
    run_apart(options);
  } else if (name == "stream-lbzip2") {
    run_lbzip2(options);
  } else if (std::sscanf(name.c_str(), "stream-disk-%d-%d", &readers, &writers) == 2 && readers > 0 && writers >= 0) {
    run_disk(options, readers, writers, sampled);
  } else if (std::sscanf(name.c_str(), "stream-hash-%d", &readers) == 1 && readers > 0) {
    run_disk(options, readers, 0, hashed);
  } else if (name == "stream-python-processes" || name == "stream-python-threads") {
    run_python(options, name.substr(name.rfind('-') + 1));
  } else {
    throw std::invalid_argument(fmt::format("no peer is called '{}'", name));
  }
}

}  // namespace duet
