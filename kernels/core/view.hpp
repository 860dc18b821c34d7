#pragma once

/// Dense matrices: a view onto somebody's memory, and an owner of memory. Row-major: element (i, j) stands at
/// data[i * stride + j], with stride >= columns, so that every block of a matrix is a view of the same kind.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace duet {

/// A rows x columns window onto memory that somebody else owns and keeps alive. Copying it copies the window.
template <class Element>
struct MatrixView {
  Element* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;

  [[nodiscard]] Element& operator()(std::int64_t row, std::int64_t column) const { return data[row * stride + column]; }

  /// The block of `block_rows` x `block_columns` whose first element is (row, column). No bounds are checked.
  [[nodiscard]] MatrixView block(std::int64_t row, std::int64_t column, std::int64_t block_rows,
                                 std::int64_t block_columns) const {
    return {data + row * stride + column, block_rows, block_columns, stride};
  }

  [[nodiscard]] bool empty() const { return rows == 0 || columns == 0; }

  /// A view that may be read where one that may be written is at hand.
  operator MatrixView<const Element>() const  // NOLINT(google-explicit-constructor): the harmless direction
      requires(!std::is_const_v<Element>) {
    return {data, rows, columns, stride};
  }
};

/// Memory for a rows x columns matrix, aligned to a cache line and **not initialised**: pages go to the NUMA node of
/// the worker that first writes them. Throws std::length_error where the size overflows, std::bad_alloc where it fails.
template <class Element>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t columns) : rows_{rows}, columns_{columns} {
    if (rows < 0 || columns < 0) {
      throw std::length_error("a matrix of " + std::to_string(rows) + " x " + std::to_string(columns));
    }
    if (columns != 0 && rows > std::numeric_limits<std::int64_t>::max() / columns / std::int64_t{sizeof(Element)}) {
      throw std::length_error("a matrix of " + std::to_string(rows) + " x " + std::to_string(columns) +
                              " has more bytes than can be addressed");
    }
    const auto bytes = static_cast<std::size_t>(rows * columns) * sizeof(Element);
    if (bytes != 0) memory_.reset(static_cast<Element*>(::operator new(bytes, alignment)));
  }

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] Element* data() { return memory_.get(); }
  [[nodiscard]] const Element* data() const { return memory_.get(); }
  [[nodiscard]] MatrixView<Element> view() { return {memory_.get(), rows_, columns_, columns_}; }
  [[nodiscard]] MatrixView<const Element> view() const { return {memory_.get(), rows_, columns_, columns_}; }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Release {
    void operator()(Element* memory) const { ::operator delete(memory, alignment); }
  };
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::unique_ptr<Element, Release> memory_;
};

using ConstView = MatrixView<const double>;
using View = MatrixView<double>;

}  // namespace duet
