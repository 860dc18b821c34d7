#include "drivers/study/trials.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <concepts>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kernels/registry.hpp"

namespace duet {
namespace {

using Json = nlohmann::json;

constexpr std::array<Outcome, 6> all_outcomes{Outcome::right, Outcome::wrong,   Outcome::failed,
                                              Outcome::hung,  Outcome::refused, Outcome::modelled};

Outcome outcome_called(const std::string& name) {
  const auto* const found = std::ranges::find(all_outcomes, name, [](Outcome outcome) { return name_of(outcome); });
  if (found != all_outcomes.end()) return *found;
  throw std::invalid_argument("outcome '" + name + "' is none of right, wrong, failed, hung, refused, modelled");
}

Model known_model(const std::string& name) {
  if (const auto model = model_called(name)) return *model;
  throw std::invalid_argument("model '" + name + "' is none of serial, openmp, tbb, mpi, hybrid");
}

/// Reads one value as strictly as its type says: no fraction becomes a whole number and no text a figure. What is not
/// finite stands as null in JSON and is read as "not a number".
template <class Value>
void read_value(const Json& from, Value& value) {
  if constexpr (std::same_as<Value, double>) {
    if (from.is_null()) {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (from.is_number()) {
      value = from.get<double>();
    } else {
      throw std::invalid_argument("not a number: " + from.dump());
    }
  } else if constexpr (std::integral<Value> && !std::same_as<Value, bool>) {
    const bool fits = from.is_number_unsigned()
                          ? std::in_range<Value>(from.get<std::uint64_t>())
                          : from.is_number_integer() && std::in_range<Value>(from.get<std::int64_t>());
    if (!fits) throw std::invalid_argument("not a whole number in range: " + from.dump());
    value = from.get<Value>();
  } else if constexpr (std::same_as<Value, std::vector<double>> || std::same_as<Value, std::vector<int>>) {
    if (!from.is_array()) throw std::invalid_argument("not a list: " + from.dump());
    value.assign(from.size(), {});
    for (std::size_t i = 0; i < from.size(); ++i) read_value(from[i], value[i]);
  } else {
    from.get_to(value);
  }
}

/// Reads `object[key]` where it is there, and names the key where it cannot be read.
template <class Value>
void read(const Json& object, const char* key, Value& value) {
  const auto found = object.find(key);
  if (found == object.end()) return;
  try {
    read_value(*found, value);
  } catch (const std::exception& error) {
    throw std::invalid_argument("'" + std::string{key} + "': " + error.what());
  }
}

template <class Value>
void read_required(const Json& object, const char* key, Value& value) {
  if (!object.contains(key)) throw std::invalid_argument("'" + std::string{key} + "' is missing");
  read(object, key, value);
}

void expect_object(const Json& json, std::string_view what) {
  if (!json.is_object()) throw std::invalid_argument(std::string{what} + " is not a JSON object");
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what, int error = errno) {
  throw std::runtime_error(path.string() + ": " + std::string{what} + ": " + std::strerror(error));
}

/// Owns a file descriptor.
class File {
 public:
  explicit File(int descriptor) : descriptor_{descriptor} {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Writes all of `text`; false, with errno, where that fails.
bool write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Text for a file or a page: bytes that are no UTF-8 (a dying process may print anything) become U+FFFD.
std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

/// Where the whole lines of the file end: what a crash cut off stands behind it. A last line that is complete but for
/// its newline is given one.
std::int64_t end_of_whole_lines(int descriptor, const std::filesystem::path& path) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  if (size < 0) fail(path, "cannot be read");
  std::string tail;
  off_t begin = size;
  while (begin > 0) {
    std::array<char, 4096> block{};
    const off_t from = std::max<off_t>(0, begin - static_cast<off_t>(block.size()));
    const ssize_t got = ::pread(descriptor, block.data(), static_cast<std::size_t>(begin - from), from);
    if (got != begin - from) fail(path, "cannot be read", got < 0 ? errno : EIO);
    const std::string_view text{block.data(), static_cast<std::size_t>(got)};
    const std::size_t newline = text.rfind('\n');
    if (newline != std::string_view::npos) {
      tail.insert(0, text.substr(newline + 1));
      begin = from + static_cast<off_t>(newline) + 1;
      break;
    }
    tail.insert(0, text);
    begin = from;
  }
  if (tail.empty() || !Json::accept(tail)) return begin;
  if (!write_whole(descriptor, "\n")) fail(path, "cannot be written");
  return size + 1;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) fail(path, "cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) fail(path, "cannot be read");
  return std::move(text).str();
}

/// The trials of a file of lines; none where it is not there.
std::vector<Trial> trials_in(const std::filesystem::path& path, std::vector<std::string>& warnings) {
  std::vector<Trial> trials;
  if (!std::filesystem::exists(path)) return trials;
  const std::string text = file_text(path);
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find('\n', begin);
    const bool ended = newline != std::string::npos;
    const std::string_view line = std::string_view{text}.substr(begin, ended ? newline - begin : text.size() - begin);
    begin = ended ? newline + 1 : text.size();
    ++number;
    if (!ended && !Json::accept(line)) {
      warnings.push_back(path.string() + ":" + std::to_string(number) + ": the last line was cut off and is left out");
      break;
    }
    try {
      trials.push_back(Json::parse(line).get<Trial>());
    } catch (const std::exception& error) {
      throw std::runtime_error(path.string() + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return trials;
}

/// The preset of a declared setting, or nothing where the registry does not know it (a file of another version).
std::optional<std::string> preset_of(const std::vector<Setting>& declared, const std::string& name) {
  const auto found = std::ranges::find(declared, name, &Setting::name);
  if (found == declared.end()) return std::nullopt;
  return found->preset;
}

void append_unless_preset(std::string& id, const std::map<std::string, std::string>& values,
                          const std::vector<Setting>& declared) {
  for (const auto& [name, value] : values) {
    if (preset_of(declared, name) == value) continue;
    id += '/';
    id += name;
    id += '=';
    id += value;
  }
}

}  // namespace

std::string Cell::id() const {
  std::string id = problem + "/" + std::string{name_of(model)} + "/" + size + "/" + std::to_string(ranks) + "x" +
                   std::to_string(threads);
  if (nodes != 1) id += "/nodes=" + std::to_string(nodes);
  std::vector<Setting> declared_parameters;
  std::vector<Setting> declared_tunables;
  const auto& problems = all_problems();
  if (const auto found = std::ranges::find(problems, problem, &Problem::name); found != problems.end()) {
    declared_parameters = found->parameters;
    const auto variant = std::ranges::find(found->variants, model, &Variant::model);
    if (variant != found->variants.end()) declared_tunables = variant->tunables;
  }
  append_unless_preset(id, parameters, declared_parameters);
  append_unless_preset(id, tunables, declared_tunables);
  return id;
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::right:
      return "right";
    case Outcome::wrong:
      return "wrong";
    case Outcome::failed:
      return "failed";
    case Outcome::hung:
      return "hung";
    case Outcome::refused:
      return "refused";
    case Outcome::modelled:
      return "modelled";
  }
  return "?";
}

bool Trial::has_mark(std::string_view mark) const { return std::ranges::find(marks, mark) != marks.end(); }

double Trial::load_balance() const {
  if (useful_seconds.empty()) return 0;
  const double largest = std::ranges::max(useful_seconds);
  if (!(largest > 0)) return 0;
  const double sum = std::accumulate(useful_seconds.begin(), useful_seconds.end(), 0.0);
  return sum / static_cast<double>(useful_seconds.size()) / largest;
}

double Trial::communication_efficiency() const {
  if (useful_seconds.empty() || !(seconds > 0)) return 0;
  return std::ranges::max(useful_seconds) / seconds;
}

void to_json(Json& json, const Cell& cell) {
  json = {{"problem", cell.problem}, {"model", name_of(cell.model)},  {"size", cell.size},
          {"seed", cell.seed},       {"parameters", cell.parameters}, {"tunables", cell.tunables},
          {"nodes", cell.nodes},     {"ranks", cell.ranks},           {"threads", cell.threads}};
}

void from_json(const Json& json, Cell& cell) {
  expect_object(json, "the cell");
  cell = {};
  std::string model;
  read_required(json, "problem", cell.problem);
  read_required(json, "model", model);
  cell.model = known_model(model);
  read_required(json, "size", cell.size);
  read(json, "seed", cell.seed);
  read(json, "parameters", cell.parameters);
  read(json, "tunables", cell.tunables);
  read(json, "nodes", cell.nodes);
  read(json, "ranks", cell.ranks);
  read(json, "threads", cell.threads);
  if (cell.nodes < 1 || cell.ranks < 1 || cell.threads < 1) {
    throw std::invalid_argument("nodes, ranks and threads must be 1 or more, not " + std::to_string(cell.nodes) + ", " +
                                std::to_string(cell.ranks) + " and " + std::to_string(cell.threads));
  }
}

void to_json(Json& json, const WorkerPlace& place) {
  json = {{"rank", place.rank},         {"thread", place.thread}, {"host", place.host},
          {"bound_to", place.bound_to}, {"core", place.core},     {"numa_node", place.numa_node}};
}

void from_json(const Json& json, WorkerPlace& place) {
  expect_object(json, "a place");
  place = {};
  read(json, "rank", place.rank);
  read(json, "thread", place.thread);
  read(json, "host", place.host);
  read(json, "bound_to", place.bound_to);
  read(json, "core", place.core);
  read(json, "numa_node", place.numa_node);
}

void to_json(Json& json, const Traffic& traffic) {
  const auto tally = [](const AcrossRanks& of) {
    return Json{{"messages", of.in_all.messages},
                {"bytes", of.in_all.bytes},
                {"most_messages", of.most.messages},
                {"most_bytes", of.most.bytes}};
  };
  Json by_carrier = Json::object();
  for (std::size_t carrier = 0; carrier < carriers; ++carrier) {
    const Volume& volume = traffic.received_by[carrier];
    if (volume == Volume{}) continue;
    by_carrier[std::string{name_of(Carrier{static_cast<int>(carrier)})}] = {{"messages", volume.messages},
                                                                            {"bytes", volume.bytes}};
  }
  json = {{"received", tally(traffic.received)},
          {"received_between_nodes", tally(traffic.received_between_nodes)},
          {"sent", tally(traffic.sent)},
          {"sent_between_nodes", tally(traffic.sent_between_nodes)},
          {"received_by", std::move(by_carrier)}};
}

void from_json(const Json& json, Traffic& traffic) {
  expect_object(json, "the traffic");
  traffic = {};
  const auto read_tally = [&json](const char* key, AcrossRanks& tally) {
    const Json figures = json.value(key, Json::object());
    expect_object(figures, key);
    read(figures, "messages", tally.in_all.messages);
    read(figures, "bytes", tally.in_all.bytes);
    read(figures, "most_messages", tally.most.messages);
    read(figures, "most_bytes", tally.most.bytes);
  };
  read_tally("received", traffic.received);
  read_tally("received_between_nodes", traffic.received_between_nodes);
  read_tally("sent", traffic.sent);
  read_tally("sent_between_nodes", traffic.sent_between_nodes);
  const Json by_carrier = json.value("received_by", Json::object());
  expect_object(by_carrier, "received_by");
  for (std::size_t carrier = 0; carrier < carriers; ++carrier) {
    const auto found = by_carrier.find(std::string{name_of(Carrier{static_cast<int>(carrier)})});
    if (found == by_carrier.end()) continue;
    expect_object(*found, "received_by");
    read(*found, "messages", traffic.received_by[carrier].messages);
    read(*found, "bytes", traffic.received_by[carrier].bytes);
  }
}

void to_json(Json& json, const StageFigures& stage) {
  json = {{"name", stage.name},
          {"kind", name_of(stage.kind)},
          {"in_order", stage.in_order},
          {"workers", stage.workers},
          {"items", stage.items},
          {"bytes_in", stage.bytes_in},
          {"bytes_out", stage.bytes_out},
          {"useful_seconds", stage.useful_seconds},
          {"queued_seconds", stage.queued_seconds},
          {"mean_depth", stage.mean_depth},
          {"most_depth", stage.most_depth}};
}

void from_json(const Json& json, StageFigures& stage) {
  expect_object(json, "the stage");
  stage = {};
  std::string kind;
  read_required(json, "name", stage.name);
  read_required(json, "kind", kind);
  constexpr std::array<StageKind, 3> kinds{StageKind::computing, StageKind::disk, StageKind::waiting};
  const auto* const found = std::ranges::find(kinds, kind, [](StageKind one) { return name_of(one); });
  if (found == kinds.end()) throw std::invalid_argument("'kind' of a stage: '" + kind + "'");
  stage.kind = *found;
  read(json, "in_order", stage.in_order);
  read(json, "workers", stage.workers);
  read(json, "items", stage.items);
  read(json, "bytes_in", stage.bytes_in);
  read(json, "bytes_out", stage.bytes_out);
  read(json, "useful_seconds", stage.useful_seconds);
  read(json, "queued_seconds", stage.queued_seconds);
  read(json, "mean_depth", stage.mean_depth);
  read(json, "most_depth", stage.most_depth);
}

void to_json(Json& json, const Trial& trial) {
  json = {{"cell", trial.cell},
          {"round", trial.round},
          {"launch", trial.launch},
          {"number", trial.number},
          {"outcome", name_of(trial.outcome)},
          {"message", trial.message},
          {"seconds", trial.seconds},
          {"place_seconds", trial.place_seconds},
          {"verify_seconds", trial.verify_seconds},
          {"error", trial.error},
          {"bound", trial.bound},
          {"digest", trial.digest},
          {"operations", trial.operations},
          {"unit", trial.unit},
          {"compulsory_bytes", trial.compulsory_bytes},
          {"memory_bytes", trial.memory_bytes},
          {"estimated_memory_bytes", trial.estimated_memory_bytes},
          {"useful_seconds", trial.useful_seconds},
          {"communicating_seconds", trial.communicating_seconds},
          {"canary_before", trial.canary_before},
          {"canary_after", trial.canary_after},
          {"hop_seconds", trial.hop_seconds},
          {"marks", trial.marks},
          {"places", trial.places},
          {"facts", trial.facts},
          {"started_at", trial.started_at}};
  if (trial.traffic) json["traffic"] = *trial.traffic;
  if (!trial.stages.empty()) {
    json["stages"] = trial.stages;
    const PipelineBound bound = bound_of(trial.stages, trial.cell.ranks * trial.cell.threads, trial.seconds);
    json["pipeline_bound"] = {{"seconds", bound.seconds},
                              {"kind", name_of(bound.kind)},
                              {"stage", bound.stage},
                              {"share", bound.share},
                              {"advice", bound.advice}};
  }
  if (!trial.diagnosis.is_null()) json["diagnosis"] = trial.diagnosis;
  if (!trial.tried.empty()) json["tried"] = trial.tried;
  if (!trial.simulated.empty()) json["simulated"] = trial.simulated;
}

void from_json(const Json& json, Trial& trial) {
  expect_object(json, "the trial");
  trial = {};
  std::string outcome;
  read_required(json, "cell", trial.cell);
  read(json, "round", trial.round);
  read(json, "launch", trial.launch);
  read(json, "number", trial.number);
  read_required(json, "outcome", outcome);
  trial.outcome = outcome_called(outcome);
  read(json, "message", trial.message);
  read(json, "seconds", trial.seconds);
  read(json, "place_seconds", trial.place_seconds);
  read(json, "verify_seconds", trial.verify_seconds);
  read(json, "error", trial.error);
  read(json, "bound", trial.bound);
  read(json, "digest", trial.digest);
  read(json, "operations", trial.operations);
  read(json, "unit", trial.unit);
  read(json, "compulsory_bytes", trial.compulsory_bytes);
  read(json, "memory_bytes", trial.memory_bytes);
  read(json, "estimated_memory_bytes", trial.estimated_memory_bytes);
  read(json, "useful_seconds", trial.useful_seconds);
  read(json, "communicating_seconds", trial.communicating_seconds);
  if (json.contains("traffic")) read(json, "traffic", trial.traffic.emplace());
  read(json, "canary_before", trial.canary_before);
  read(json, "canary_after", trial.canary_after);
  read(json, "hop_seconds", trial.hop_seconds);
  read(json, "marks", trial.marks);
  read(json, "places", trial.places);
  read(json, "facts", trial.facts);
  read(json, "stages", trial.stages);
  read(json, "started_at", trial.started_at);
  if (json.contains("diagnosis")) trial.diagnosis = json.at("diagnosis");
  read(json, "tried", trial.tried);
  read(json, "simulated", trial.simulated);
  if (trial.outcome == Outcome::modelled && trial.simulated.empty()) {
    throw std::invalid_argument("a modelled trial must say in 'simulated' on which platform");
  }
  const bool timed = trial.outcome == Outcome::right || trial.outcome == Outcome::modelled;
  if (timed && !(std::isfinite(trial.seconds) && trial.seconds >= 0)) {
    throw std::invalid_argument("'seconds' of a " + std::string{name_of(trial.outcome)} +
                                " trial must be 0 or more, not " + std::to_string(trial.seconds));
  }
}

void to_json(Json& json, const Machine& machine) {
  json = {{"host", machine.host},
          {"processor", machine.processor},
          {"sockets", machine.sockets},
          {"cores", machine.cores},
          {"threads_per_core", machine.threads_per_core},
          {"numa_nodes", machine.numa_nodes},
          {"memory_bytes", machine.memory_bytes},
          {"caches", machine.caches},
          {"instruction_sets", machine.instruction_sets},
          {"operating_system", machine.operating_system},
          {"peak_flops_one_core", machine.peak_flops_one_core}};
}

void from_json(const Json& json, Machine& machine) {
  expect_object(json, "the machine");
  machine = {};
  read(json, "host", machine.host);
  read(json, "processor", machine.processor);
  read(json, "sockets", machine.sockets);
  read(json, "cores", machine.cores);
  read(json, "threads_per_core", machine.threads_per_core);
  read(json, "numa_nodes", machine.numa_nodes);
  read(json, "memory_bytes", machine.memory_bytes);
  read(json, "caches", machine.caches);
  read(json, "instruction_sets", machine.instruction_sets);
  read(json, "operating_system", machine.operating_system);
  read(json, "peak_flops_one_core", machine.peak_flops_one_core);
}

void to_json(Json& json, const Node& node) {
  json = {{"machine", node.machine},
          {"kernel", node.kernel},
          {"program", node.program},
          {"versions", node.versions},
          {"latency_seconds", node.latency_seconds},
          {"bytes_per_second", node.bytes_per_second}};
}

void from_json(const Json& json, Node& node) {
  expect_object(json, "a node");
  node = {};
  read_required(json, "machine", node.machine);
  read(json, "kernel", node.kernel);
  read(json, "program", node.program);
  read(json, "versions", node.versions);
  read(json, "latency_seconds", node.latency_seconds);
  read(json, "bytes_per_second", node.bytes_per_second);
}

void to_json(Json& json, const StudyRecord& study) {
  json = {{"schema", study.schema},         {"duet_version", study.duet_version}, {"command", study.command},
          {"started_at", study.started_at}, {"ended_at", study.ended_at},         {"ending", study.ending},
          {"machine", study.machine},       {"versions", study.versions},         {"options", study.options},
          {"warnings", study.warnings}};
  if (!study.nodes.empty()) json["nodes"] = study.nodes;
  if (!study.scaling.is_null()) json["scaling"] = study.scaling;
}

void from_json(const Json& json, StudyRecord& study) {
  expect_object(json, "the study");
  study = {};
  const int known_schema = study.schema;
  read_required(json, "schema", study.schema);
  if (study.schema != known_schema) {
    throw std::invalid_argument("schema " + std::to_string(study.schema) + " is not " + std::to_string(known_schema) +
                                ", which this version reads");
  }
  read(json, "duet_version", study.duet_version);
  read(json, "command", study.command);
  read(json, "started_at", study.started_at);
  read(json, "ended_at", study.ended_at);
  read(json, "ending", study.ending);
  read(json, "machine", study.machine);
  read(json, "nodes", study.nodes);
  read(json, "versions", study.versions);
  read(json, "options", study.options);
  read(json, "warnings", study.warnings);
  if (json.contains("scaling")) study.scaling = json.at("scaling");
}

SavedStudy load_study(const std::filesystem::path& folder) {
  SavedStudy study;
  const std::filesystem::path record_path = folder / "study.json";
  const std::string record_text = file_text(record_path);
  try {
    study.record = Json::parse(record_text).get<StudyRecord>();
  } catch (const std::exception& error) {
    throw std::runtime_error(record_path.string() + ": " + error.what());
  }
  for (Trial& trial : trials_in(folder / "trials.jsonl", study.record.warnings)) {
    (trial.simulated.empty() ? study.trials : study.simulated).push_back(std::move(trial));
  }
  for (Trial& trial : trials_in(folder / "simulated.jsonl", study.record.warnings)) {
    if (trial.simulated.empty()) {
      throw std::runtime_error((folder / "simulated.jsonl").string() + ": the trial of " + trial.cell.id() +
                               " does not say in 'simulated' on which platform");
    }
    study.simulated.push_back(std::move(trial));
  }
  return study;
}

void save_record(const std::filesystem::path& folder, const StudyRecord& record) {
  const std::filesystem::path path = folder / "study.json";
  const std::string text = dumped(record, 2) + "\n";

  std::string beside = path.string() + ".XXXXXX";
  const File file{::mkostemp(beside.data(), O_CLOEXEC)};
  if (file.get() < 0) fail(path, "cannot be written");
  const auto give_up = [&](const char* what) {
    const int error = errno;
    ::unlink(beside.c_str());
    fail(path, what, error);
  };
  // mkostemp lets nobody but the owner read; a report is there to be shown.
  if (::fchmod(file.get(), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) != 0) give_up("cannot be written");
  if (!write_whole(file.get(), text) || ::fsync(file.get()) != 0) give_up("cannot be written");
  if (::rename(beside.c_str(), path.c_str()) != 0) give_up("cannot be renamed into place");

  // The new name itself survives a crash only after this; file systems that cannot do it say so and are right too.
  const File directory{::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() >= 0) ::fsync(directory.get());
}

void append_trials(const std::filesystem::path& folder, const std::vector<Trial>& trials, const char* file_name) {
  if (trials.empty()) return;
  const std::filesystem::path path = folder / file_name;
  std::string text;
  for (const Trial& trial : trials) text += dumped(trial, -1) + "\n";

  const File file{::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
  if (file.get() < 0) fail(path, "cannot be opened");
  const off_t end = end_of_whole_lines(file.get(), path);
  if (::ftruncate(file.get(), end) != 0) fail(path, "cannot be written");
  if (!write_whole(file.get(), text) || ::fsync(file.get()) != 0) {
    const int error = errno;
    // Whole lines or none, also on a full disk; where even this fails, load_study leaves the cut-off line out.
    if (::ftruncate(file.get(), end) != 0) fail(path, "cannot be written, and a cut-off line was left", error);
    fail(path, "cannot be written", error);
  }
}

}  // namespace duet
