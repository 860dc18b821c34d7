#pragma once

/// A study that nobody measured, with everything in it that a report must show: two problems, five models, six sizes,
/// one and two workers, eight rounds, a crossover, and cells that failed, hung, answered wrongly or were disturbed.

#include <string>
#include <vector>

#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

struct SyntheticStudy {
  SavedStudy study;
  Analysis analysis;
};

/// The same numbers each time.
[[nodiscard]] SyntheticStudy synthetic_study();

/// Nine rounds of serial, openmp and mpi on 1, 2, 4, 8 and 16 workers, of n = 512 or, weak, from there on. With p
/// workers an operation takes their seconds 1 + 0.02 (p - 1) times as long as one of openmp, in mpi 1 + 0.05 (p - 1) +
/// 0.006 p (p - 1) times; serial is 5 % faster than one worker.
[[nodiscard]] SyntheticStudy scaling_study(Scaling scaling);

/// fib_stream in serial, on two threads and on two ranks, 50 and 200 inputs, eight rounds: `stage` waits 50 ms for
/// each, on 20 threads, before it is taken. Of 200 on threads a change was tried, which makes it 9.5 times as fast.
[[nodiscard]] SyntheticStudy pipeline_study(const std::string& stage = "ask");

/// One right trial of each of two models, whose problem, message, host, version and command are `text`.
[[nodiscard]] SyntheticStudy study_that_says(const std::string& text);

/// Simulated trials of matmul, size 512 and 65536 on two platforms, as jobs/simulate.sh writes them; one is wrong, and
/// one number of ranks stands there twice.
[[nodiscard]] std::vector<Trial> simulated_trials();

}  // namespace duet
