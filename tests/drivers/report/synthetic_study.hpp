#pragma once

/// A study that nobody measured, with everything in it that a report must show: two problems, five models, six sizes,
/// one and two workers, eight rounds, a crossover, and cells that failed, hung, answered wrongly or were disturbed.

#include <string>

#include "drivers/study/trials.hpp"
#include "drivers/study/verdict.hpp"

namespace duet {

struct SyntheticStudy {
  SavedStudy study;
  Analysis analysis;
};

/// The same numbers each time.
[[nodiscard]] SyntheticStudy synthetic_study();

/// One right trial of each of two models, whose problem, message, host, version and command are `text`.
[[nodiscard]] SyntheticStudy study_that_says(const std::string& text);

}  // namespace duet
