#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "drivers/agreed.hpp"
#include "drivers/command.hpp"
#include "drivers/files/matrix_file.hpp"
#include "drivers/files/progress_line.hpp"
#include "drivers/files/write_matrix.hpp"
#include "drivers/lap.hpp"
#include "drivers/machine.hpp"
#include "drivers/options.hpp"
#include "drivers/session.hpp"
#include "drivers/statistics/text.hpp"
#include "kernels/core/mpi.hpp"
#include "kernels/data_decomposition/matmul/multiplication.hpp"

namespace duet {
namespace {

struct MultiplyOptions {
  std::string a;
  std::string b;
  std::string output;
  Workers workers;
  std::vector<std::string> settings;
};

struct Seconds {
  double reading = 0;
  double multiplying = 0;
  double verifying = 0;
  double writing = 0;
};

std::string shape_text(std::int64_t rows, std::int64_t columns) { return fmt::format("{} x {}", rows, columns); }

ProductShape conforming(const MatrixFile& a, const MatrixFile& b) {
  if (a.columns() != b.rows()) {
    throw UsageError(
        fmt::format("{} is {} and {} is {}: the {} columns of the first must be as many as the {} rows of "
                    "the second",
                    a.path(), shape_text(a.rows(), a.columns()), b.path(), shape_text(b.rows(), b.columns()),
                    a.columns(), b.rows()));
  }
  return {.m = a.rows(), .n = b.columns(), .k = a.columns()};
}

void refuse_without_memory(const ProductShape& shape, const Session& session) {
  const auto m = static_cast<double>(shape.m);
  const auto n = static_cast<double>(shape.n);
  const auto k = static_cast<double>(shape.k);
  // Beside the matrices each rank has buffers of files, panels on their way, and vectors of the verification.
  constexpr double buffers = 128e6;
  const double node_ranks = session.node_ranks();
  const double operands = 8 * (m * k + k * n + m * n) * node_ranks / session.ranks();
  const double vectors = 8 * (8 * m + 4 * (k + n)) * node_ranks;
  asked_together(session.communicator(), [&] {
    duet::refuse_without_memory(
        fmt::format("the product of {} and {}", shape_text(shape.m, shape.k), shape_text(shape.k, shape.n)),
        operands + vectors + buffers * node_ranks);
  });
}

void print_summary(std::FILE* to, const Session& session, const MatrixFile& a, const MatrixFile& b,
                   const Multiplication& product, const MultiplyOptions& options, const Judgement& judgement,
                   const Seconds& seconds) {
  const ProductShape& shape = product.layout().shape();
  const double operations =
      2 * static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
  const auto line_of = [&](const char* name, const MatrixFile& file) {
    fmt::print(to, "{}  {}: {}, {}\n", name, file.path(), shape_text(file.rows(), file.columns()), file.description());
  };
  line_of("A", a);
  line_of("B", b);
  fmt::print(to, "C  {}: {}\n", options.output == "-" ? "standard output" : options.output,
             shape_text(shape.m, shape.n));
  fmt::print(to, "model {}, {} ({} x {})", name_of(session.model()),
             counted(static_cast<long long>(session.ranks()) * session.threads(), "worker"),
             counted(session.ranks(), "rank"), counted(session.threads(), "thread"));
  for (const auto& [name, value] : product.facts()) fmt::print(to, ", {} {}", name, value);
  fmt::print(to, "\nread in {}, multiplied in {} ({}), verified in {}, written in {}\n", seconds_text(seconds.reading),
             seconds_text(seconds.multiplying), rate_text(operations / seconds.multiplying, "flop"),
             seconds_text(seconds.verifying), seconds_text(seconds.writing));
  fmt::print(to, "verified: error {:.2g}, and {:.2g} is allowed\n", judgement.error, judgement.bound);
}

/// Everything from the first operand to the file in its place. Throws FileError, the same on all ranks.
int multiply_files(const MatrixFile& a, const MatrixFile& b, OutputFile& output, const Settings& tunables,
                   const Session& session, const MultiplyOptions& options) {
  const ProductShape shape{.m = a.rows(), .n = b.columns(), .k = a.columns()};
  const Execution execution = session.execution(tunables, nullptr);
  const MPI_Comm communicator = session.communicator();
  ProgressLine progress{session.rank() == 0};
  Seconds seconds;
  Lap lap{session};

  const auto reading = [&](const MatrixFile& file) {
    return [&](View block, const Block& where) {
      progress.now("reading " + file.path());
      file.read_block(where.rows, where.columns, block, communicator, progress.meter());
    };
  };
  Multiplication product{session.model(), shape, execution, reading(a), reading(b)};
  seconds.reading = lap.take();
  progress.now("multiplying");
  product.execute();
  seconds.multiplying = lap.take();

  progress.now("verifying");
  constexpr std::uint64_t seed = 0x6475657420;
  const Judgement judgement = product.verify(seed);
  seconds.verifying = lap.take();
  if (!judgement.right) {
    if (session.rank() == 0) {
      fmt::print(stderr, "duet: the product is wrong, and nothing was written: {}\n", judgement.explanation);
    }
    return status::not_right;
  }

  progress.now("writing " + options.output);
  const Block mine = product.c_block();
  write_matrix(output, format_of(options.output), {shape.m, shape.n, mine.rows, mine.columns, product.c()},
               RunTeam{session.model(), execution}, progress.meter());
  progress.now("handing " + options.output + " to the disk");
  output.commit();
  seconds.writing = lap.take();
  if (session.rank() == 0) {
    print_summary(options.output == "-" ? stderr : stdout, session, a, b, product, options, judgement, seconds);
  }
  return status::right;
}

int multiply(const MultiplyOptions& options) {
  asked_of_file([&] { static_cast<void>(format_of(options.output)); });
  const Settings tunables = asked([&] {
    return Settings{fmt::format("multiply in {}", name_of(options.workers.model)),
                    matmul_tunables(options.workers.model), settings_from(options.settings)};
  });
  const Session session{options.workers};
  const MPI_Comm communicator = session.communicator();
  const MatrixFile a = asked_of_file([&] { return open_matrix(options.a, communicator); });
  const MatrixFile b = asked_of_file([&] { return open_matrix(options.b, communicator); });
  const ProductShape shape = conforming(a, b);
  refuse_without_memory(shape, session);
  const auto output = asked_of_file([&] { return std::make_unique<OutputFile>(options.output, communicator); });
  try {
    return multiply_files(a, b, *output, tunables, session, options);
  } catch (const FileError& error) {
    if (session.rank() == 0) fmt::print(stderr, "duet: {}\n", error.what());
    return status::not_right;
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());  // a tunable that cannot serve: by the contract every rank says so
  }
}

}  // namespace

void add_multiply(CLI::App& duet, Act& act) {
  CLI::App* const command = duet.add_subcommand("multiply", "C = A B for matrices in files, verified");
  const auto options = std::make_shared<MultiplyOptions>();
  command->add_option("A", options->a, "Matrix Market or .npy, gzipped or not")->required()->type_name("FILE");
  command->add_option("B", options->b, "The same; as many rows as A has columns")->required()->type_name("FILE");
  command->add_option("-o,--output", options->output, "C: .npy, .npy.gz, .mtx, .mtx.gz, or - (.mtx)")
      ->required()
      ->type_name("FILE");
  add_worker_options(*command, options->workers);
  command->add_option("--set", options->settings, "name=value: a tunable of matmul (`duet list`)")
      ->allow_extra_args(false);
  command->footer(
      "Examples:\n"
      "  duet multiply A.mtx B.npy -o C.npy                   all cores, shared memory\n"
      "  duet multiply A.mtx.gz A.mtx.gz -o - --model serial  the square, as text\n"
      "  mpirun -n 4 duet multiply A.npy B.npy -o C.npy --model mpi\n"
      "  mpirun -n 2 duet multiply A.npy B.npy -o C.mtx.gz --model hybrid --threads 8\n"
      "Reads Matrix Market (coordinate, whose missing entries are 0, and array; real,\n"
      "integer and pattern; general, symmetric and skew-symmetric) and .npy (C and\n"
      "Fortran order; floats of 4 and 8 bytes, integers and bool, of both byte orders;\n"
      "a vector is a column). All is computed in double; NaN and infinities are\n"
      "carried. Under mpirun each rank holds and reads only its blocks: of an\n"
      "uncompressed .npy it reads no other byte; of a text or a compressed file every\n"
      "rank goes through the whole stream, so convert large ones to .npy first.\n"
      "The product is verified (Freivalds' check, with a derived error bound) before C\n"
      "appears under its name; a wrong or unfinished one leaves no file, and what was\n"
      "there before stays.");
  command->callback([&act, options] { act = [options] { return multiply(*options); }; });
}

}  // namespace duet
