#include "tests/drivers/report/synthetic_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace duet {
namespace {

constexpr double peak = 58e9;

/// Seconds that `model` takes: arithmetic that scales, plus what the model costs each time and each element.
double seconds_for(const Cell& cell, double size) {
  const bool matrix = cell.problem == "matmul";
  const double work = matrix ? 2 * size * size * size / (0.93 * peak) : size * 2.1e-6;
  const double words = matrix ? size * size : size;
  const double workers = cell.workers();
  switch (cell.model) {
    case Model::serial:
      return work + 2e-7;
    case Model::openmp:
      return work / (workers == 1 ? 1 : matrix ? 1.97 : 1.74) + 3e-6 * workers;
    case Model::tbb:
      return work / (workers == 1 ? 0.99 : matrix ? 1.93 : 1.71) + 6e-6 * workers;
    case Model::mpi:
      return work / (workers == 1 ? 0.99 : matrix ? 1.9 : 1.96) + (workers - 1) * (words * 1.1e-9 + 45e-6);
    case Model::hybrid:
      return work / (workers == 1 ? 0.98 : matrix ? 1.86 : 1.8) + (workers - 1) * (words * 0.8e-9 + 60e-6);
  }
  return 0;
}

std::vector<WorkerPlace> places_of(const Cell& cell) {
  std::vector<WorkerPlace> places;
  for (int rank = 0; rank < cell.ranks; ++rank) {
    for (int thread = 0; thread < cell.threads; ++thread) {
      const int core = rank * cell.threads + thread;
      places.push_back({rank, thread, "node17", {core}, core, 0});
    }
  }
  return places;
}

Trial right_trial(const Cell& cell, double size, int round, int launch, int number, std::mt19937& random) {
  std::normal_distribution<double> noise{0.0, 1.0};
  Trial trial{.cell = cell, .round = round, .launch = launch, .number = number, .outcome = Outcome::right};
  const double ideal = seconds_for(cell, size);
  trial.seconds = ideal * std::exp(0.012 * std::abs(noise(random)) + 0.006 * std::sin(round));
  trial.place_seconds = 0.3 * ideal;
  trial.verify_seconds = 0.01 * ideal;
  const bool matrix = cell.problem == "matmul";
  trial.operations = matrix ? 2 * size * size * size : size;
  trial.unit = matrix ? "flop" : "doubling step";
  const double useful = seconds_for({.problem = cell.problem, .model = Model::serial}, size) / cell.workers();
  for (int worker = 0; worker < cell.workers(); ++worker) {
    trial.useful_seconds.push_back(std::min(useful * (worker == 0 ? 1.0 : 0.97), trial.seconds));
    trial.communicating_seconds.push_back(
        passes_messages(cell.model) && cell.workers() > 1 ? 0.7 * std::max(trial.seconds - useful, 0.0) : 0.0);
  }
  if (passes_messages(cell.model)) {
    const std::int64_t messages = cell.ranks > 1 ? 8 : 0;
    const auto bytes = static_cast<std::int64_t>(4 * size * size) * (cell.ranks - 1);
    const AcrossRanks each{.in_all = {cell.ranks * messages, cell.ranks * bytes}, .most = {messages, bytes}};
    trial.traffic = Traffic{.received = each, .received_between_nodes = {}, .sent = each, .sent_between_nodes = {}};
    trial.traffic->received_by[static_cast<std::size_t>(Carrier::broadcast)] = each.in_all;
  }
  trial.canary_before = 3.71e9;
  trial.canary_after = 3.70e9;
  trial.places = places_of(cell);
  trial.started_at = fmt::format("2026-03-14T09:{:02}:{:02}Z", 10 + launch / 60 % 50, launch % 60);
  if (number == 0) {
    trial.marks = {"warm_up"};
    trial.seconds *= 1.25;
  } else if (round == 3 && cell.size == "512") {
    trial.marks = {"slow_canary"};
    trial.canary_after = 2.4e9;
    trial.seconds *= 1.5;
  }
  return trial;
}

Trial failed_trial(const Cell& cell, int round, Outcome outcome, const std::string& message) {
  return {.cell = cell, .round = round, .launch = 900 + round, .outcome = outcome, .message = message};
}

SyntheticStudy made_up() {
  SavedStudy study;
  study.record = {.duet_version = "0.1.0",
                  .command = {"duet", "compare", "matmul", "fib_batch", "--budget", "3m", "-o", "my report"},
                  .started_at = "2026-03-14T09:10:00Z",
                  .ended_at = "2026-03-14T09:13:04Z",
                  .ending = "budget",
                  .machine = {.host = "node17",
                              .processor = "AMD EPYC 9354P 32-Core Processor",
                              .sockets = 1,
                              .cores = 2,
                              .threads_per_core = 2,
                              .numa_nodes = 1,
                              .memory_bytes = 24.0 * 1024 * 1024 * 1024,
                              .caches = {"L1d 32 KiB", "L2 1 MiB", "L3 32 MiB"},
                              .instruction_sets = "AVX3_ZEN4",
                              .operating_system = "Debian GNU/Linux 12 (bookworm), Linux 6.1.0",
                              .peak_flops_one_core = peak},
                  .versions = {{"compiler", "g++ 12.2.0"},
                               {"flags", "-O3 -DNDEBUG"},
                               {"mpi", "Open MPI 4.1.4"},
                               {"openmp", "libgomp 4.5"},
                               {"tbb", "oneTBB 2021.8"}},
                  .options = {{"budget", "3m"}, {"precision", "2%"}, {"seed", "1"}, {"workers", "1,2"}},
                  .warnings = {"the two logical processors of core 0 are both in use by this job"}};

  std::mt19937 random{7};
  const std::map<std::string, std::vector<int>> sizes{{"matmul", {64, 128, 256, 512, 1024, 2048}},
                                                      {"fib_batch", {100, 300, 512, 3000, 10000, 30000}}};
  int launch = 0;
  for (int round = 0; round < 8; ++round) {
    for (const std::string problem : {"matmul", "fib_batch"}) {
      for (const int size : sizes.at(problem)) {
        for (const int workers : {1, 2}) {
          for (const Model model : all_models) {
            if (model == Model::serial && workers > 1) continue;
            const int ranks = passes_messages(model) ? (model == Model::hybrid ? 1 : workers) : 1;
            const Cell cell{.problem = problem,
                            .model = model,
                            .size = std::to_string(size),
                            .tunables = {{"schedule", "dynamic"}},
                            .ranks = ranks,
                            .threads = workers / ranks};
            ++launch;
            if (model == Model::tbb && size == 30000) {
              study.trials.push_back(failed_trial(cell, round, Outcome::failed, "ended with signal 6: std::bad_alloc"));
            } else if (model == Model::mpi && size == 2048 && workers == 2 && round == 5) {
              study.trials.push_back(failed_trial(cell, round, Outcome::hung, "met its time limit of 20 s"));
            } else if (model == Model::hybrid && size == 512 && workers == 2 && round == 6) {
              study.trials.push_back(
                  failed_trial(cell, round, Outcome::wrong, "C(17, 4) is 3.25, expected 3.5 within 1e-12"));
            } else {
              for (int number = 0; number < 3; ++number) {
                study.trials.push_back(right_trial(cell, size, round, launch, number, random));
              }
            }
          }
        }
      }
    }
  }
  Analysis analysis = analyse(study);
  return {std::move(study), std::move(analysis)};
}

}  // namespace

SyntheticStudy synthetic_study() {
  static const SyntheticStudy study = made_up();  // its bootstraps take seconds under a sanitizer
  return study;
}

SyntheticStudy scaling_study(Scaling scaling) {
  SavedStudy study;
  study.record = {.duet_version = "0.1.0",
                  .command = {"duet", "scale", "matmul", "--" + std::string{name_of(scaling)}},
                  .ending = "complete",
                  .machine = {.host = "node17", .cores = 16},
                  .options = {{"scaling", std::string{name_of(scaling)}}}};
  const std::vector<int> workers{1, 2, 4, 8, 16};
  const std::vector<int> weak_sizes{512, 648, 816, 1024, 1296};
  std::mt19937 random{11};
  std::normal_distribution<double> noise{0.0, 0.004};
  int launch = 0;
  for (int round = 1; round <= 9; ++round) {
    for (std::size_t i = 0; i < workers.size(); ++i) {
      for (const Model model : {Model::serial, Model::openmp, Model::mpi}) {
        if (model == Model::serial && i > 0) continue;
        const double p = workers[i];
        const double size = scaling == Scaling::weak ? weak_sizes[i] : 512;
        const int ranks = model == Model::mpi ? workers[i] : 1;
        Trial trial{.cell = {.problem = "matmul",
                             .model = model,
                             .size = std::to_string(static_cast<int>(size)),
                             .ranks = ranks,
                             .threads = workers[i] / ranks},
                    .round = round,
                    .launch = ++launch,
                    .outcome = Outcome::right,
                    .operations = 2 * size * size * size,
                    .unit = "flop"};
        const double slower = model == Model::openmp ? 1 + 0.02 * (p - 1)
                              : model == Model::mpi  ? 1 + 0.05 * (p - 1) + 0.006 * p * (p - 1)
                                                     : 0.95;
        trial.seconds = trial.operations / (0.9 * peak) / p * slower * std::exp(noise(random));
        trial.useful_seconds.assign(static_cast<std::size_t>(workers[i]), 0.9 * trial.seconds);
        trial.communicating_seconds.assign(static_cast<std::size_t>(workers[i]), 0.0);
        study.trials.push_back(std::move(trial));
      }
    }
  }
  Analysis analysis = analyse(study);
  return {std::move(study), std::move(analysis)};
}

SyntheticStudy pipeline_study(const std::string& stage) {
  SavedStudy study;
  study.record = {.duet_version = "0.1.0",
                  .command = {"duet", "compare", "fib_stream", "--set", "work=wait"},
                  .ending = "complete",
                  .machine = {.host = "node17", .cores = 2}};
  int launch = 0;
  const auto add = [&](const Cell& cell, int readers, int round, const std::map<std::string, std::string>& tried) {
    const std::int64_t items = std::stoll(cell.size);
    const double seconds = 0.05 * static_cast<double>((items + readers - 1) / readers);
    Trial trial{.cell = cell,
                .round = round,
                .launch = ++launch,
                .outcome = Outcome::right,
                .seconds = 1.05 * seconds * (1 + 0.001 * (round % 5)),
                .operations = static_cast<double>(items),
                .unit = "doubling step",
                .stages = {{.name = stage,
                            .kind = StageKind::waiting,
                            .workers = readers,
                            .items = items,
                            .bytes_in = 9 * items,
                            .bytes_out = 700 * items,
                            .useful_seconds = 0.05 * static_cast<double>(items),
                            .queued_seconds = 0.001,
                            .mean_depth = 1.5,
                            .most_depth = 3},
                           {.name = "take", .in_order = true, .items = items, .useful_seconds = 1e-5}},
                .tried = tried};
    // The threads of more than 20 readers take a while to start.
    if (readers > 20) trial.seconds *= 1.0 / 0.95;
    trial.useful_seconds.assign(static_cast<std::size_t>(cell.workers()), 1e-5);
    trial.communicating_seconds.assign(static_cast<std::size_t>(cell.workers()), 0.0);
    study.trials.push_back(std::move(trial));
  };
  const auto cell_of_model = [](Model model, int size) {
    Cell cell{.problem = "fib_stream",
              .model = model,
              .size = std::to_string(size),
              .parameters = {{"work", "wait"}},
              .ranks = model == Model::mpi ? 2 : 1,
              .threads = model == Model::openmp ? 2 : 1};
    if (model != Model::serial) cell.tunables = {{"readers", "20"}, {"tokens", "0"}};
    return cell;
  };
  for (int round = 1; round <= 8; ++round) {
    for (const int size : {50, 200}) {
      for (const Model model : {Model::serial, Model::openmp, Model::mpi}) {
        add(cell_of_model(model, size), model == Model::serial ? 1 : 20, round, {});
      }
    }
  }
  const Cell without = cell_of_model(Model::openmp, 200);
  const std::map<std::string, std::string> change{{"readers", "200"}, {"tokens", "408"}};
  Cell with = without;
  with.tunables = change;
  for (int round = 9; round <= 14; ++round) {
    add(without, 20, round, change);
    add(with, 200, round, change);
  }
  Analysis analysis = analyse(study);
  return {std::move(study), std::move(analysis)};
}

SyntheticStudy study_that_says(const std::string& text) {
  SavedStudy study;
  study.record = {.duet_version = text,
                  .command = {"duet", text},
                  .ending = "interrupted",
                  .machine = {.host = text, .processor = text, .caches = {text}, .operating_system = text},
                  .versions = {{text, text}},
                  .options = {{text, text}},
                  .warnings = {text}};
  for (const Model model : {Model::openmp, Model::mpi}) {
    Trial trial{.cell = {.problem = text,
                         .model = model,
                         .size = text,
                         .parameters = {{text, text}},
                         .tunables = {{text, text}},
                         .ranks = passes_messages(model) ? 2 : 1,
                         .threads = passes_messages(model) ? 1 : 2},
                .outcome = Outcome::right,
                .seconds = 0.5,
                .unit = text,
                .marks = {},
                .places = {{0, 0, text, {0}, 0, 0}},
                .started_at = text};
    study.trials.push_back(trial);
    trial.outcome = Outcome::failed;
    trial.message = text;
    study.trials.push_back(trial);
  }
  Analysis analysis = analyse(study);
  for (Verdict& verdict : analysis.verdicts) {
    verdict.headline = text;
    verdict.reasons = {text};
    verdict.crossovers.push_back({.problem = text, .workers = 2, .sentence = text});
  }
  return {std::move(study), std::move(analysis)};
}

std::vector<Trial> simulated_trials() {
  std::vector<Trial> trials;
  const auto add = [&trials](const std::string& platform, const std::string& size, int ranks, double seconds) {
    Trial trial{.cell = {.problem = "matmul", .model = Model::mpi, .size = size, .nodes = ranks, .ranks = ranks},
                .outcome = Outcome::modelled,
                .seconds = seconds,
                .useful_seconds = std::vector<double>(static_cast<std::size_t>(ranks), 0.8 * seconds),
                .facts = {{"messages_per_rank", "12.5"}, {"bytes_per_rank", "4194304"}},
                .simulated = platform};
    trials.push_back(std::move(trial));
  };
  add("fat-tree", "65536", 1024, 11);
  add("fat-tree", "65536", 4, 99);
  add("fat-tree", "65536", 4, 2800);
  add("fat-tree", "65536", 16, 710);
  add("ethernet", "65536", 4, 3000);
  add("ethernet", "65536", 16, 2000);
  add("fat-tree", "512", 2, 0.0025);
  add("fat-tree", "512", 4, 0.0014);
  trials.back().cell.tunables = {{"panel", "64"}};
  add("fat-tree", "512", 7, 0.001);
  trials.back().outcome = Outcome::wrong;
  trials.back().message = "C(1, 2) is 3";
  return trials;
}

}  // namespace duet
