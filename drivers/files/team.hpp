#pragma once

/// The workers of a run, for work of the drivers that is worth sharing and is no kernel's: writing digits, compressing.
/// Each model's own threads, which are bound to their cores already; threads made here would all inherit the core of
/// the one that makes them.

#include <cstdint>
#include <functional>

#include "kernels/core/execution.hpp"
#include "kernels/core/vocabulary.hpp"

namespace duet {

class RunTeam {
 public:
  /// The calling thread alone.
  RunTeam() = default;
  /// The threads of this process with which `model` runs `execution`, which is kept.
  RunTeam(Model model, const Execution& execution);

  [[nodiscard]] int workers() const { return execution_.threads; }

  /// Calls act(0), act(1), ... act(parts - 1), each once, by workers that take the next one when they are free. Throws
  /// what the first of them throws, when all are done.
  void each(std::int64_t parts, const std::function<void(std::int64_t part)>& act) const;

 private:
  Model model_ = Model::serial;
  Execution execution_{};
};

}  // namespace duet
