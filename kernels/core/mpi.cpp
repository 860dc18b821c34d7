#include "kernels/core/mpi.hpp"

#include <array>

namespace duet {
namespace {

std::string text_of(int code, const std::source_location& where) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) length = 0;
  std::string file = where.file_name();
  if (const auto slash = file.rfind("kernels/"); slash != std::string::npos) file.erase(0, slash);
  return file + ":" + std::to_string(where.line()) + " in " + where.function_name() + ": " +
         std::string(text.data(), static_cast<std::size_t>(length));
}

}  // namespace

MpiError::MpiError(int code, const std::source_location& where)
    : std::runtime_error{text_of(code, where)}, code_{code} {}

int mpi_count(std::int64_t count) {
  if (count < 0 || count > largest_mpi_count) {
    throw std::overflow_error(std::to_string(count) + " elements do not fit one MPI call");
  }
  return static_cast<int>(count);
}

Communicator::Communicator(MPI_Comm owned) : handle_{owned} {
  if (handle_ != MPI_COMM_NULL) check(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN));
}

Communicator::~Communicator() {
  if (handle_ == MPI_COMM_NULL || unwinding_.now()) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0) MPI_Comm_free(&handle_);
}

Communicator Communicator::duplicate(MPI_Comm of) {
  MPI_Comm made = MPI_COMM_NULL;
  check(MPI_Comm_dup(of, &made));
  return Communicator{made};
}

Communicator Communicator::split(MPI_Comm of, int colour, int key) {
  MPI_Comm made = MPI_COMM_NULL;
  check(MPI_Comm_split(of, colour, key, &made));
  return Communicator{made};
}

Communicator Communicator::of_node(MPI_Comm of) {
  MPI_Comm made = MPI_COMM_NULL;
  check(MPI_Comm_split_type(of, MPI_COMM_TYPE_SHARED, rank_in(of), MPI_INFO_NULL, &made));
  return Communicator{made};
}

int rank_in(MPI_Comm communicator) {
  int rank = 0;
  if (communicator != MPI_COMM_NULL) check(MPI_Comm_rank(communicator, &rank));
  return rank;
}

int size_of(MPI_Comm communicator) {
  int size = 1;
  if (communicator != MPI_COMM_NULL) check(MPI_Comm_size(communicator, &size));
  return size;
}

Datatype::Datatype(MPI_Datatype owned) : handle_{owned} { check(MPI_Type_commit(&handle_)); }

Datatype::~Datatype() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (handle_ != MPI_DATATYPE_NULL && finalized == 0) MPI_Type_free(&handle_);
}

Datatype Datatype::run_of(std::int64_t count, MPI_Datatype element) {
  MPI_Datatype made = MPI_DATATYPE_NULL;
  check(MPI_Type_contiguous(mpi_count(count), element, &made));
  return Datatype{made};
}

}  // namespace duet
