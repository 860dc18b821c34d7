#pragma once

/// A study in several parts, which run as jobs of their own (`--part 2/4`, jobs/*.sbatch with --array) and are read as
/// one: `duet report` of the folder that holds them.
///
/// What is compared stays together: a comparison is divided between sizes of a problem, and scaling between models, of
/// which each part measures its own beside the serial base. Each part is a whole study, with rounds of its own.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "drivers/study/plan.hpp"
#include "drivers/study/trials.hpp"

namespace duet {

/// "2/4". Throws std::invalid_argument that names --part and what would be right.
[[nodiscard]] StudyPart part_from(const std::string& text);

/// "2/4", and nothing for a study that is whole.
[[nodiscard]] std::string text_of(const StudyPart& part);

/// The part that a record names; whole where it names none.
[[nodiscard]] StudyPart part_of(const std::map<std::string, std::string>& options);

/// The options of the study's own part: of all sizes of all problems, in their order, a contiguous block, and blocks
/// differ by one size at the most; when scaling, of all models but the serial one, which every part has. A whole study
/// is its own part. Throws std::invalid_argument where there are more parts than there is to divide.
[[nodiscard]] StudyOptions narrowed(StudyOptions options);

/// Folders of studies in `folder`, in the order of their names; none where it does not hold any.
[[nodiscard]] std::vector<std::filesystem::path> studies_in(const std::filesystem::path& folder);

/// One part as it was loaded, and whence.
struct LoadedPart {
  std::filesystem::path folder;
  SavedStudy study;
};

/// The parts as one study. Rounds and launches are numbered anew, so that trials of different parts, which did not run
/// side by side, are in no common round. Parts that are missing, interrupted or running, and local kernels that differ,
/// are warnings of the record. Throws std::invalid_argument that names two folders and the difference where they are no
/// parts of one study: processor, cores, versions and options have to be the same (but not budgets).
[[nodiscard]] SavedStudy merged(std::vector<LoadedPart> parts);

/// The studies in `folder`.
[[nodiscard]] std::vector<LoadedPart> load_parts(const std::filesystem::path& folder);

/// True where `folder` holds every part of a study, each ended by itself.
[[nodiscard]] bool has_all_parts(const std::filesystem::path& folder);

}  // namespace duet
