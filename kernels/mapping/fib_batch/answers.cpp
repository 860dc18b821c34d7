#include "kernels/mapping/fib_batch/answers.hpp"

#include <stdexcept>

namespace duet {

Answers::Answers(int workers) {
  if (workers < 1)
    throw std::invalid_argument("answers of " + std::to_string(workers) + " workers; it takes 1 or more");
  shelves_.resize(static_cast<std::size_t>(workers));
}

void Answers::reserve(std::int64_t items, bool exact) {
  for (Shelf& shelf : shelves_) {
    if (exact) {
      shelf.naturals.reserve(static_cast<std::size_t>(items));
    } else {
      shelf.residues.reserve(static_cast<std::size_t>(items));
    }
  }
}

void Answers::clear() {
  for (Shelf& shelf : shelves_) {
    shelf.answered.clear();
    shelf.naturals.clear();
    shelf.residues.clear();
  }
}

}  // namespace duet
