#pragma once

/// What several ranks find out about a question, each for itself, as one conclusion of all.

#include <mpi.h>

#include "drivers/command.hpp"
#include "drivers/files/file_error.hpp"

namespace duet {

/// Calls `question`, and tells a FileError of it, which all ranks have alike, as the user's error.
template <class Question>
decltype(auto) asked_of_file(Question&& question) {
  try {
    return question();
  } catch (const FileError& error) {
    throw UsageError(error.what());
  }
}

/// Calls `question` on every rank of `communicator`, collective; where it throws on any, all throw UsageError with the
/// text of one of them. The question itself must not wait for other ranks.
template <class Question>
void asked_together(MPI_Comm communicator, Question&& question) {
  asked_of_file([&] { together(communicator, question); });
}

}  // namespace duet
