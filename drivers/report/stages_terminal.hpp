#pragma once

#include "drivers/report/writer.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

/// For each question whose cells are pipelines: what binds them at the largest size, a line a cell, what would help,
/// and what came of trying it. Nothing where there are no stages.
///
///     fib_stream on 2 workers at count = 200: this job waits
///                     bound by        stage     at least   of the run
///     openmp           waiting      compute       501 ms         98 %
///       compute waits for answers: more threads would help, more cores would not
///       - openmp: tried readers=200, tokens=408: median 52.1 ms [51.8, 52.9], 9.61x
///         [9.50, 9.70] as fast
void print_stages(Writer& writer, const Analysis& analysis);

}  // namespace duet
