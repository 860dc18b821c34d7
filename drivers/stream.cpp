#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "drivers/agreed.hpp"
#include "drivers/command.hpp"
#include "drivers/files/byte_source.hpp"
#include "drivers/files/file_error.hpp"
#include "drivers/files/matrix_file.hpp"
#include "drivers/files/output_file.hpp"
#include "drivers/files/progress_line.hpp"
#include "drivers/lap.hpp"
#include "drivers/machine.hpp"
#include "drivers/options.hpp"
#include "drivers/session.hpp"
#include "drivers/stage_table.hpp"
#include "drivers/statistics/text.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/matrix_stream/matrix_stream.hpp"
#include "kernels/pipeline/matrix_stream/npy_bytes.hpp"
#include "kernels/pipeline/stream/stream_ranks.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

struct StreamOptions {
  std::vector<std::string> inputs;
  std::string by;
  std::string output;
  std::string codec = "none";
  bool again = false;
  Workers workers;
  std::vector<std::string> settings;
};

/// A file and what shall become of it.
struct StreamedFile {
  std::string from;
  std::string to;
  std::int64_t bytes = 0;
};

/// The name without what says how it is compressed and what it is: "a.mtx.gz" is "a".
std::string stem_of(const fs::path& path) {
  std::string name = path.filename().string();
  const auto cut_off = [&](std::string_view end) {
    if (name.size() > end.size() && name.ends_with(end)) name.resize(name.size() - end.size());
  };
  for (const Codec codec : codecs) {
    if (codec != Codec::none) cut_off(suffix_of(codec));
  }
  cut_off(".npy");
  cut_off(".mtx");
  return name;
}

bool looks_like_a_matrix(const fs::path& path) {
  const std::string stem = stem_of(path);
  std::string_view rest = std::string_view{path.filename().native()}.substr(stem.size());
  return rest.starts_with(".npy") || rest.starts_with(".mtx");
}

/// The files of a folder whose names end as a matrix's, by name; a file stands for itself.
std::vector<fs::path> files_in(const std::string& input) {
  std::error_code error;
  if (!fs::is_directory(input, error)) return {input};
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator{input, error}) {
    if (entry.is_regular_file(error) && looks_like_a_matrix(entry.path())) found.push_back(entry.path());
  }
  if (error) throw UsageError(fmt::format("{}: cannot be listed: {}", input, error.message()));
  if (found.empty()) throw UsageError(fmt::format("{}: holds no .npy or .mtx, compressed or not", input));
  std::ranges::sort(found);
  return found;
}

/// All files and their results. Throws UsageError where two results would have one name.
std::vector<StreamedFile> files_of(const StreamOptions& options, Codec codec) {
  std::vector<StreamedFile> files;
  std::map<std::string, std::string> origins;
  for (const std::string& input : options.inputs) {
    for (const fs::path& path : files_in(input)) {
      const std::string to =
          (fs::path{options.output} / (stem_of(path) + ".npy" + std::string{suffix_of(codec)})).string();
      const auto [other, is_new] = origins.emplace(to, path.string());
      if (!is_new) {
        throw UsageError(fmt::format("{} and {} would both become {}", other->second, path.string(), to));
      }
      std::error_code error;
      const auto bytes = static_cast<std::int64_t>(fs::file_size(path, error));
      files.push_back({path.string(), to, error ? 0 : bytes});
    }
  }
  return files;
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path)) {
    throw UsageError(fmt::format("{}: is no folder, and cannot be made: {}", path, error.message()));
  }
}

void read_whole(const std::string& path, Bytes& to) {
  // As it is: decompressing is a stage of its own.
  const Descriptor file = open_to_read(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_in_system(path, "cannot look at it", errno);
  to.clear();
  to.resize(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t now = ::pread(file.get(), to.data() + done, to.size() - done, static_cast<off_t>(done));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail_in_system(path, fmt::format("cannot read at byte {}", done), errno);
    if (now == 0) break;
    done += static_cast<std::size_t>(now);
  }
  to.resize(done);
}

/// Has the disk begin with a file that will be read. What comes after its beginning is read ahead when that is read.
void expect_file(const std::string& path) noexcept {
  constexpr off_t beginning = off_t{16} << 20U;
  struct stat status {};
  // A pipe would take the opening for a reader's.
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() >= 0) static_cast<void>(::posix_fadvise(file.get(), 0, beginning, POSIX_FADV_WILLNEED));
}

/// What every process holds: B, the files that are under way, and what the codecs and the product need.
double memory_of(const ConstView& b, const std::vector<StreamedFile>& files, int threads, std::int64_t tokens) {
  std::int64_t largest = 0;
  for (const StreamedFile& file : files) largest = std::max(largest, file.bytes);
  const double b_bytes = 8 * static_cast<double>(b.rows) * static_cast<double>(b.columns);
  // An uncompressed input of m x k becomes m x n; a compressed one is taken to have a quarter of its length.
  constexpr double buffers = 20e6;
  const double ratio = b.rows == 0 ? 1 : std::max(1.0, static_cast<double>(b.columns) / static_cast<double>(b.rows));
  const auto under_way = static_cast<double>(StreamLimits{.tokens = static_cast<int>(tokens)}.tokens_for(threads));
  return b_bytes + under_way * static_cast<double>(largest) * (1 + ratio) + (threads + 2) * buffers;
}

/// Results that were written and are not yet under their names. Any threads.
class FilesUnderWay {
 public:
  void put(std::int64_t index, std::unique_ptr<OutputFile> file) {
    const std::scoped_lock lock{mutex_};
    files_.emplace(index, std::move(file));
  }
  [[nodiscard]] std::unique_ptr<OutputFile> take(std::int64_t index) {
    const std::scoped_lock lock{mutex_};
    return std::move(files_.extract(index).mapped());
  }

 private:
  std::mutex mutex_;
  std::map<std::int64_t, std::unique_ptr<OutputFile>> files_;
};

struct StreamOutcome {
  std::int64_t good = 0;
  std::int64_t bad = 0;
  std::int64_t bytes = 0;
};

void print_stream_summary(const Session& session, const StreamOutcome& outcome, const StreamFigures& figures,
                          std::int64_t kept, double seconds) {
  const int workers = session.ranks() * session.threads();
  fmt::print("{} written and verified{}{}, {} in {}\n", counted(outcome.good, "file"),
             outcome.bad != 0 ? fmt::format(", {} with an error", outcome.bad) : "",
             kept != 0 ? fmt::format(", {} there already", kept) : "", bytes_text(static_cast<double>(outcome.bytes)),
             seconds_text(seconds));
  fmt::print("model {}, {} ({} x {})\n\n{}", name_of(session.model()), counted(workers, "worker"),
             counted(session.ranks(), "rank"), counted(session.threads(), "thread"),
             stage_table(figures, workers, seconds));
}

int stream_files(const StreamOptions& options) {
  const Codec codec = asked([&] { return codec_called(options.codec); });
  const Settings tunables = asked([&] {
    return Settings{fmt::format("stream in {}", name_of(options.workers.model)),
                    matrix_stream_tunables(options.workers.model), settings_from(options.settings)};
  });
  const Session session{options.workers};
  const MPI_Comm communicator = session.communicator();
  std::vector<StreamedFile> files;
  Matrix<double> b;
  asked_together(communicator, [&] {
    files = files_of(options, codec);
    make_folder(options.output);
    b = read_matrix(options.by);
  });
  std::int64_t kept = 0;
  if (!options.again) {
    // Written beside and renamed: what is there is whole. All ranks must see the same.
    std::vector<char> is_there(files.size());
    if (session.rank() == 0) {
      std::ranges::transform(files, is_there.begin(), [](const StreamedFile& file) {
        std::error_code ignored;
        return static_cast<char>(fs::exists(file.to, ignored) ? 1 : 0);
      });
    }
    if (communicator != MPI_COMM_NULL)
      check(MPI_Bcast(is_there.data(), mpi_count(std::ssize(is_there)), MPI_CHAR, 0, communicator));
    std::vector<StreamedFile> missing;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (is_there[i] == 0) missing.push_back(std::move(files[i]));
    }
    kept = std::ssize(files) - std::ssize(missing);
    files = std::move(missing);
  }
  const Execution execution = session.execution(tunables, nullptr);
  const double bytes = memory_of(b.view(), files, session.threads(), execution.whole_or("tokens", 0));
  asked_together(communicator, [&] { refuse_without_memory("this stream", bytes * session.node_ranks()); });

  ProgressLine progress{session.rank() == 0};
  progress.now(fmt::format("streaming {}", counted(std::ssize(files), "file")));
  const Progress meter = progress.meter();
  StreamOutcome outcome;
  FilesUnderWay written;
  MatrixStream stream;
  stream.count = std::ssize(files);
  stream.b = b.view();
  stream.codec = codec;
  stream.verifies = true;
  const auto file_at = [&](std::int64_t index) -> const StreamedFile& {
    return files.at(static_cast<std::size_t>(index));
  };
  stream.expect = [&](std::int64_t index) { expect_file(file_at(index).from); };
  stream.read = [&](std::int64_t index, Bytes& to) { read_whole(file_at(index).from, to); };
  stream.convert = [&](std::int64_t index, Bytes& text) {
    Bytes made;
    parse_matrix(file_at(index).from, text.text(),
                 [&](std::int64_t rows, std::int64_t columns) { return make_matrix_in(made, rows, columns); });
    text.swap(made);
  };
  stream.write = [&](std::int64_t index, std::string_view text) {
    auto file = std::make_unique<OutputFile>(file_at(index).to);
    file->append(text);
    file->begin_sync();
    written.put(index, std::move(file));
  };
  stream.settle = [&](std::int64_t index) { written.take(index)->commit_content(); };
  stream.take = [&](const StreamedMatrix& result) {
    const StreamedFile& file = file_at(result.index);
    if (result.fault.empty()) {
      ++outcome.good;
      outcome.bytes += result.bytes;
    } else {
      // What could not be written ends the stream: the next one would not fit either.
      if (result.fault.starts_with(file.to)) throw FileError(result.fault);
      ++outcome.bad;
      const bool named = result.fault.starts_with(file.from);
      fmt::print(stderr, "duet: {}{}\n", named ? "" : file.from + ": ", result.fault);
    }
    meter(result.index + 1, stream.count);
  };
  const MatrixStreamPlan plan = plan_matrix_stream(stream, session.model(), execution);
  Lap lap{session};
  StreamFigures figures;
  try {
    figures = matrix_stream(stream, plan, session.model(), execution);
  } catch (const FileError& error) {
    fmt::print(stderr, "duet: {}\nduet: {} of {} are written; the same command goes on with the others\n", error.what(),
               outcome.good, counted(stream.count, "file"));
    return status::not_right;
  } catch (const EndedByAnotherRank&) {
    return status::not_right;
  }
  sync_folder(options.output);
  const double seconds = lap.take();
  progress.now("done");
  int state = status::right;
  if (session.rank() == 0) {
    print_stream_summary(session, outcome, figures, kept, seconds);
    state = outcome.bad == 0 ? status::right : status::not_right;
  }
  if (communicator != MPI_COMM_NULL) check(MPI_Bcast(&state, 1, MPI_INT, 0, communicator));
  return state;
}

}  // namespace

void add_stream(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("stream", "C = A B for a stream of matrix files, verified");
  const auto options = std::make_shared<StreamOptions>();
  command->add_option("FILES", options->inputs, "The A's: files, or folders of them")->required()->type_name("FILE");
  command->add_option("--by", options->by, "B, the same for all: Matrix Market or .npy, gzipped or not")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", options->output, "A folder for the results, made where there is none")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--codec", options->codec, "What results are compressed with: none, gzip, bzip2 or zstd")
      ->type_name("TEXT")
      ->capture_default_str();
  command->add_flag("--again", options->again, "Compute also what is in the folder already");
  add_worker_options(*command, options->workers);
  command->add_option("--set", options->settings, "name=value: a tunable of matrix_stream (`duet list`)")
      ->allow_extra_args(false);
  command->footer(
      "Examples:\n"
      "  duet stream --by B.npy -o results/ measured/            all files of a folder\n"
      "  duet stream --by B.npy -o out/ --codec zstd a.mtx.gz b.npy.bz2 c.npy\n"
      "  duet stream --by B.npy -o out/ measured/ --set readers=4 --set tokens=32\n"
      "  mpirun -n 4 duet stream --by B.npy -o out/ measured/ --model mpi\n"
      "Reads Matrix Market and .npy (as `duet multiply`), each compressed with gzip,\n"
      "bzip2 or zstd or not, known by content. a.mtx.gz becomes a.npy, with the end of\n"
      "its codec. Files are read ahead and written behind by threads of their own, at\n"
      "most `tokens` of them in memory. A file that is damaged is named, with the byte\n"
      "or line, and the others are multiplied; the exit status is 1 then. Each result\n"
      "is verified (Freivalds' check) and appears under its name when it is whole: what\n"
      "was interrupted goes on with what is missing when it is started again.");
  command->callback([&act, options] { act = [options] { return stream_files(*options); }; });
}

}  // namespace duet
