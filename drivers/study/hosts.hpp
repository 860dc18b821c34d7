#pragma once

/// The hosts that a study may use, from a host file as MPI's launchers have them:
///
///     # a comment
///     n1 slots=8      OpenMPI's form
///     n2:8            MPICH's and Intel MPI's
///     n3              as many workers as it has cores
///
/// A slot is a core that a worker may be put on. A host that is named twice has the slots of both lines, as in OpenMPI.

#include <string>
#include <vector>

namespace duet {

struct Host {
  std::string name;
  int slots = 0;  ///< 0: all its cores
  friend bool operator==(const Host&, const Host&) = default;
};

/// Reads `path`. Throws std::runtime_error, "FILE:LINE: what is wrong", where it cannot be read, has no host, or has a
/// line of another form. Whether the hosts exist is found out by asking them.
[[nodiscard]] std::vector<Host> hosts_from(const std::string& path);

}  // namespace duet
