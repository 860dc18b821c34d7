#pragma once

/// A matrix of doubles as the bytes of a .npy file: how matrices go through a stream. NumPy's format, version 1.0,
/// '<f8' in C order, with a header of 128 bytes ("numpy.lib.format").

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/core/view.hpp"
#include "kernels/pipeline/stream/bytes.hpp"

namespace duet {

inline constexpr std::size_t npy_header_bytes = 128;

/// The header of a C-order matrix of doubles in this machine's byte order, version 1.0: 128 bytes.
[[nodiscard]] std::string npy_header_text(std::int64_t rows, std::int64_t columns);

/// The elements of a file that is exactly of this form, header and length; none of any other one. The view lasts as
/// long as `file`, whose beginning is aligned to 8 bytes.
[[nodiscard]] std::optional<ConstView> matrix_in(std::string_view file);

/// `to` becomes the file of a rows x columns matrix whose elements are not set, with room for `more` bytes behind it;
/// returns where the elements go.
[[nodiscard]] View make_matrix_in(Bytes& to, std::int64_t rows, std::int64_t columns, std::size_t more = 0);

}  // namespace duet
