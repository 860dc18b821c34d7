#include "kernels/pipeline/stream/stage_meter.hpp"

#include <exception>

namespace duet {

namespace {

void spoil(StreamItem& item, const std::exception& error, const StreamStage& stage) {
  item.fault = error.what();
  if (item.fault.empty()) item.fault = "failed in " + stage.name;
  item.data.clear();
}

}  // namespace

std::chrono::steady_clock::time_point StageMeter::begin_to_wait(std::size_t index, StreamItem& item) {
  const StreamStage& stage = stream_->stages[index];
  try {
    if (item.fault.empty()) return stage.begin(item);
  } catch (const std::exception& error) {
    spoil(item, error, stage);
  }
  return {};
}

void StageMeter::act(std::size_t index, StreamItem& item, Line& line) {
  const StreamStage& stage = stream_->stages[index];
  try {
    stage.act(item);
  } catch (const std::exception& error) {
    return spoil(item, error, stage);
  }
  line.items.fetch_add(item.count, std::memory_order_relaxed);
  line.bytes_out.fetch_add(static_cast<std::int64_t>(item.data.size()), std::memory_order_relaxed);
}

StreamFigures StageMeter::figures() const {
  constexpr double second = 1e-9;
  StreamFigures all;
  for (std::size_t index = 0; index < lines_.size(); ++index) {
    const Line& line = lines_[index];
    const StreamStage& stage = stream_->stages[index];
    const auto visits = static_cast<double>(line.visits.load());
    all.push_back({.name = stage.name,
                   .kind = stage.kind,
                   .in_order = stage.in_order,
                   .workers = 1,
                   .items = line.items.load(),
                   .bytes_in = line.bytes_in.load(),
                   .bytes_out = line.bytes_out.load(),
                   .useful_seconds = second * static_cast<double>(line.useful.load()),
                   .queued_seconds = second * static_cast<double>(line.queued.load()),
                   .mean_depth = visits == 0 ? 0 : static_cast<double>(line.depths.load()) / visits,
                   .most_depth = line.most_depth.load()});
  }
  return all;
}

}  // namespace duet
