#include "drivers/watchdog/diagnosis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "kernels/core/wait_cycle.hpp"

namespace duet {
namespace {

using Doing = RankState::Doing;
using Way = Wait::Way;

constexpr std::array<std::pair<Doing, std::string_view>, 6> doing_names{{{Doing::computes, "computes"},
                                                                         {Doing::waits, "waits"},
                                                                         {Doing::polls, "polls"},
                                                                         {Doing::idles, "idles"},
                                                                         {Doing::ended, "ended"},
                                                                         {Doing::silent, "silent"}}};
constexpr std::array<std::pair<Way, std::string_view>, 4> way_names{
    {{Way::receives, "receives"}, {Way::sends, "sends"}, {Way::collective, "collective"}, {Way::window, "window"}}};

template <class Names>
auto called(const Names& names, const std::string& name) {
  for (const auto& [value, its_name] : names) {
    if (its_name == name) return value;
  }
  throw std::invalid_argument("'" + name + "' is not a word of a diagnosis");
}

template <class Names, class Value>
std::string_view name_in(const Names& names, Value value) {
  for (const auto& [known, its_name] : names) {
    if (known == value) return its_name;
  }
  return "?";
}

/// That rank `from` can only go on when rank `to` acts; both by their place in the list of states.
struct Edge {
  std::size_t to = 0;
  const Wait* wait = nullptr;
  bool certain = true;  ///< it does wait for this, and nothing else would do
};

/// What keeps one rank from going on.
struct Needs {
  std::vector<Edge> edges;
  bool elsewhere = false;  ///< also ranks that are not described
  bool anybody = false;    ///< a message from any source
  bool unknown = false;    ///< and things that are not known
};

bool blocked(const RankState& state) { return state.doing == Doing::waits || state.doing == Doing::polls; }

bool may_match(int one, int other) { return one == other || one == Wait::any || other == Wait::any; }

/// A send and a receive that belong together: a transfer, not a wait.
bool match(const RankState& rank, const Wait& wait, const RankState& other, const Wait& theirs) {
  const bool opposite = (wait.way == Way::sends && theirs.way == Way::receives) ||
                        (wait.way == Way::receives && theirs.way == Way::sends);
  return opposite && wait.communicator == theirs.communicator && may_match(wait.tag, theirs.tag) &&
         may_match(wait.peer, other.rank) && may_match(theirs.peer, rank.rank);
}

class Graph {
 public:
  explicit Graph(const std::vector<RankState>& states) : states_{states} {
    for (std::size_t i = 0; i < states.size(); ++i) place_[states[i].rank] = i;
    for (const RankState& state : states) needs_.push_back(needs_of(state));
    find_stuck();
  }

  [[nodiscard]] const Needs& needs(std::size_t rank) const { return needs_[rank]; }
  /// Whether it can never go on, whatever is not described.
  [[nodiscard]] bool stuck(std::size_t rank) const { return stuck_[rank]; }
  [[nodiscard]] bool any_stuck() const { return std::ranges::find(stuck_, true) != stuck_.end(); }

  struct Mismatch {
    std::size_t one, other;
    const Wait *of_one, *of_other;
  };
  /// Two ranks whose n-th collective calls on a communicator differ.
  [[nodiscard]] std::vector<Mismatch> mismatches() const;

  /// A shortest cycle along edges without a doubt, or along all.
  [[nodiscard]] std::vector<std::size_t> cycle(bool certain) const;

 private:
  [[nodiscard]] Needs needs_of(const RankState& state) const;
  void find_stuck();

  const std::vector<RankState>& states_;
  std::map<int, std::size_t> place_;
  std::vector<Needs> needs_;
  std::vector<bool> stuck_;
};

Needs Graph::needs_of(const RankState& state) const {
  Needs needs;
  if (!blocked(state)) return needs;
  needs.unknown = state.waits.empty() || static_cast<int>(state.waits.size()) < state.requests;
  const auto add = [&](int rank, const Wait& wait, bool certain) {
    const auto found = place_.find(rank);
    if (found == place_.end()) {
      needs.elsewhere = true;
      return;
    }
    const RankState& other = states_[found->second];
    if (blocked(other)) {
      for (const Wait& theirs : other.waits) {
        if (match(state, wait, other, theirs)) {
          needs.unknown = true;
          return;
        }
      }
    }
    needs.edges.push_back({found->second, &wait, certain && !state.perhaps()});
  };
  for (const Wait& wait : state.waits) {
    const bool names_members = wait.peer == Wait::any || wait.peer == Wait::all;
    if (names_members && (wait.members.empty() || static_cast<int>(wait.members.size()) < wait.size)) {
      (wait.members.empty() ? needs.unknown : needs.elsewhere) = true;
    }
    if (wait.peer == Wait::any) {
      needs.anybody = true;
      for (const int member : wait.members) {
        if (member != state.rank) add(member, wait, false);
      }
    } else if (wait.peer == Wait::all) {
      for (const int member : wait.members) {
        const auto found = place_.find(member);
        if (member == state.rank || found == place_.end()) continue;
        const auto& begun = states_[found->second].collectives;
        const auto theirs = begun.find(wait.communicator);
        const bool known = wait.ordinal > 0 && theirs != begun.end();
        if (known && theirs->second >= wait.ordinal) continue;
        add(member, wait, known);
      }
    } else if (wait.peer >= 0) {
      // The holder of a lock is not told: it may be another than the target.
      add(wait.peer, wait, wait.way != Way::window);
    } else {
      needs.unknown = true;
    }
  }
  return needs;
}

/// The largest set of ranks each of which waits for one of the set or for one that has ended: of several things that
/// may be done or of which one suffices, for all of them.
void Graph::find_stuck() {
  for (const RankState& state : states_) stuck_.push_back(state.doing == Doing::waits);
  std::vector<bool> mismatched(states_.size());
  for (const Mismatch& pair : mismatches()) mismatched[pair.one] = mismatched[pair.other] = true;
  const auto never = [&](const Edge& edge) { return stuck_[edge.to] || states_[edge.to].doing == Doing::ended; };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t rank = 0; rank < states_.size(); ++rank) {
      if (!stuck_[rank] || mismatched[rank]) continue;
      const Needs& need = needs_[rank];
      const bool by_one =
          std::ranges::any_of(need.edges, [&](const Edge& edge) { return edge.certain && never(edge); });
      const bool by_all = !need.edges.empty() && !need.elsewhere && !need.unknown &&
                          std::ranges::all_of(need.edges, [&](const Edge& edge) {
                            return edge.wait->way != Way::window && never(edge);
                          });
      if (by_one || by_all) continue;
      stuck_[rank] = false;
      changed = true;
    }
  }
}

std::vector<Graph::Mismatch> Graph::mismatches() const {
  struct First {
    std::size_t rank;
    const Wait* wait;
  };
  std::map<std::pair<std::string_view, std::uint64_t>, First> firsts;
  std::vector<Mismatch> found;
  for (std::size_t rank = 0; rank < states_.size(); ++rank) {
    if (!blocked(states_[rank])) continue;
    for (const Wait& wait : states_[rank].waits) {
      if (wait.way != Way::collective || wait.ordinal == 0 || wait.communicator.empty()) continue;
      const auto [at, is_first] = firsts.try_emplace({wait.communicator, wait.ordinal}, First{rank, &wait});
      const First& first = at->second;
      if (is_first || (first.wait->call == wait.call && first.wait->root == wait.root)) continue;
      found.push_back({first.rank, rank, first.wait, &wait});
    }
  }
  return found;
}

std::vector<std::size_t> Graph::cycle(bool certain) const {
  std::vector<std::vector<std::size_t>> waits_for(states_.size());
  for (std::size_t rank = 0; rank < states_.size(); ++rank) {
    for (const Edge& edge : needs_[rank].edges) {
      if (edge.certain || !certain) waits_for[rank].push_back(edge.to);
    }
  }
  return shortest_cycle(waits_for);
}

std::string tag_text(const Wait& wait) {
  if (wait.tag == Wait::any) return "any tag";
  return wait.tag >= 0 ? fmt::format("tag {}", wait.tag) : std::string{};
}

/// " (tag 7)", " (root 0)", " (MPI_Irecv, tag 7)" or nothing.
std::string details(const RankState& state, const Wait& wait) {
  std::vector<std::string> parts;
  if (wait.call != state.call && !wait.call.empty()) parts.push_back(wait.call);
  if (wait.root >= 0) parts.push_back(fmt::format("root {}", wait.root));
  if (const std::string tag = tag_text(wait); !tag.empty()) parts.push_back(tag);
  if (state.requests > 1) {
    parts.push_back(fmt::format("{} of {} requests", state.one_suffices ? "any" : "one", state.requests));
  }
  return parts.empty() ? "" : fmt::format(" ({})", fmt::join(parts, ", "));
}

/// "MPI_Bcast (root 0)".
std::string call_text(const RankState& state, const Wait& wait) { return state.call + details(state, wait); }

/// "rank 1", "any source", "3 other ranks".
std::string peer_text(const Wait& wait) {
  if (wait.peer >= 0) return fmt::format("rank {}", wait.peer);
  if (wait.peer == Wait::any) return "any source";
  if (wait.peer == Wait::all && wait.size > 0) return fmt::format("all {} ranks of its communicator", wait.size);
  return wait.way == Way::window ? "its window" : "its peer";
}

/// "rank 0 waits for rank 1 in MPI_Recv (tag 7)"; for a collective call the one that is missing stands for all.
std::string edge_text(const std::vector<RankState>& states, std::size_t from, const Edge& edge) {
  const RankState& state = states[from];
  return fmt::format("rank {} waits{} for rank {} in {}", state.rank, edge.certain ? "" : " perhaps",
                     states[edge.to].rank, call_text(state, *edge.wait));
}

const Edge& edge_to(const Needs& needs, std::size_t to) {
  const Edge* found = nullptr;
  for (const Edge& edge : needs.edges) {
    if (edge.to == to && (found == nullptr || edge.certain)) found = &edge;
  }
  return *found;
}

template <class Texts>
std::string listed(const Texts& texts, std::size_t most = 4) {
  std::string text;
  for (std::size_t i = 0; i < texts.size() && i < most; ++i) text += (i == 0 ? "" : ", ") + texts[i];
  if (texts.size() > most) text += fmt::format(", and {} more", texts.size() - most);
  return text;
}

void hint_at_cycle(const std::vector<RankState>& states, const Graph& graph, const std::vector<std::size_t>& cycle,
                   Diagnosis& diagnosis) {
  bool all_send = true;
  bool all_receive = true;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const std::size_t next = cycle[(i + 1) % cycle.size()];
    const Wait& wait = *edge_to(graph.needs(cycle[i]), next).wait;
    all_send = all_send && wait.way == Way::sends;
    all_receive = all_receive && wait.way == Way::receives;
    for (const Wait& theirs : states[next].waits) {
      const bool opposite = (wait.way == Way::sends && theirs.way == Way::receives);
      if (!opposite || wait.peer != states[next].rank || !may_match(theirs.peer, states[cycle[i]].rank)) continue;
      if (wait.communicator != theirs.communicator) {
        diagnosis.hints.push_back(fmt::format("rank {} sends to rank {}, which receives on another communicator",
                                              states[cycle[i]].rank, states[next].rank));
      } else if (!may_match(wait.tag, theirs.tag)) {
        diagnosis.hints.push_back(fmt::format("rank {} sends with tag {}, and rank {} receives with tag {}",
                                              states[cycle[i]].rank, wait.tag, states[next].rank, theirs.tag));
      }
    }
  }
  if (all_receive) diagnosis.hints.emplace_back("each rank of the cycle receives, and none sends");
  if (all_send) {
    diagnosis.hints.emplace_back(
        "each rank of the cycle sends, and none receives: beyond the eager limit MPI_Send waits for its receive");
  }
}

/// All that wait for a rank of this kind: "rank 0 waits for rank 1 in MPI_Recv (tag 7)".
std::vector<std::string> waiting_for(const std::vector<RankState>& states, const Graph& graph,
                                     const std::vector<Doing>& kinds) {
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < states.size(); ++rank) {
    std::size_t last = SIZE_MAX;
    for (const Edge& edge : graph.needs(rank).edges) {
      if (edge.to == last || std::ranges::find(kinds, states[edge.to].doing) == kinds.end()) continue;
      texts.push_back(edge_text(states, rank, edge));
      last = edge.to;
    }
  }
  return texts;
}

std::string ranks_that(const std::vector<RankState>& states, const std::vector<Doing>& kinds) {
  std::vector<std::string> texts;
  for (const RankState& state : states) {
    if (std::ranges::find(kinds, state.doing) == kinds.end()) continue;
    texts.push_back(fmt::format("rank {} {}", state.rank, what_it_does(state)));
  }
  return listed(texts);
}

void put_into_words(const std::vector<RankState>& states, const Graph& graph, int ranks, Diagnosis& diagnosis) {
  using Kind = Diagnosis::Kind;
  const auto some = [&](Doing doing) { return std::ranges::find(states, doing, &RankState::doing) != states.end(); };
  if (ranks == 1 && !some(Doing::waits) && !some(Doing::polls) && !some(Doing::computes)) {
    diagnosis.kind = Kind::threads;
    diagnosis.headline = "the process takes no processor time: its threads sleep, or wait for each other";
    return;
  }
  const bool computing = some(Doing::computes) && !diagnosis.certain;
  if (computing) {
    diagnosis.kind = Kind::computing;
    const auto waits = waiting_for(states, graph, {Doing::computes});
    diagnosis.headline = ranks_that(states, {Doing::computes}) + (waits.empty() ? "" : "; " + listed(waits));
    return;
  }
  if (const auto mismatches = graph.mismatches(); !mismatches.empty()) {
    diagnosis.kind = Kind::mismatch;
    const Graph::Mismatch& pair = mismatches.front();
    diagnosis.headline = fmt::format("rank {} is in {}, rank {} in {}, on the same communicator", states[pair.one].rank,
                                     call_text(states[pair.one], *pair.of_one), states[pair.other].rank,
                                     call_text(states[pair.other], *pair.of_other));
    if (pair.of_one->size > 0) diagnosis.headline += fmt::format(" of {} ranks", pair.of_one->size);
    diagnosis.hints.push_back(
        fmt::format("it is collective call number {} on that communicator, and has to be the same "
                    "on all of its ranks",
                    pair.of_one->ordinal));
    return;
  }
  std::vector<std::size_t> cycle = graph.cycle(true);
  if (cycle.empty()) cycle = graph.cycle(false);
  const auto in_doubt = [&](std::size_t i) {
    return !edge_to(graph.needs(cycle[i]), cycle[(i + 1) % cycle.size()]).certain;
  };
  const auto anybody = [&](std::size_t i) {
    return edge_to(graph.needs(cycle[i]), cycle[(i + 1) % cycle.size()]).wait->peer == Wait::any;
  };
  const auto places = std::views::iota(std::size_t{0}, cycle.size());
  const bool by_anybody = std::ranges::any_of(places, anybody);
  const auto for_ended = waiting_for(states, graph, {Doing::ended});
  const auto for_outside = waiting_for(states, graph, {Doing::idles, Doing::silent});
  const bool doubtful = std::ranges::any_of(places, in_doubt) && (!for_ended.empty() || !for_outside.empty());
  if (!cycle.empty() && !by_anybody && !doubtful) {
    diagnosis.kind = Kind::cycle;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      diagnosis.cycle.push_back(states[cycle[i]].rank);
      texts.push_back(edge_text(states, cycle[i], edge_to(graph.needs(cycle[i]), cycle[(i + 1) % cycle.size()])));
    }
    diagnosis.headline = "a wait cycle: " + listed(texts);
    hint_at_cycle(states, graph, cycle, diagnosis);
    return;
  }
  if (!for_ended.empty()) {
    diagnosis.kind = Kind::ended;
    diagnosis.headline = listed(for_ended) + ", which has ended";
    return;
  }
  if (some(Doing::idles) || some(Doing::silent)) {
    diagnosis.kind = Kind::outside;
    diagnosis.headline = ranks_that(states, {Doing::idles, Doing::silent});
    if (!for_outside.empty()) diagnosis.headline += "; " + listed(for_outside);
    return;
  }
  std::vector<std::string> anybodys;
  bool elsewhere = false;
  for (std::size_t rank = 0; rank < states.size(); ++rank) {
    elsewhere = elsewhere || graph.needs(rank).elsewhere;
    if (graph.needs(rank).anybody) {
      anybodys.push_back(fmt::format("rank {} {}", states[rank].rank, what_it_does(states[rank])));
    }
  }
  if (elsewhere && static_cast<int>(states.size()) < ranks) {
    diagnosis.kind = Kind::elsewhere;
    diagnosis.headline = fmt::format("all {} ranks of this node wait, some of them for ranks of other nodes: {}",
                                     states.size(), ranks_that(states, {Doing::waits, Doing::polls}));
    return;
  }
  if (!anybodys.empty()) {
    diagnosis.kind = Kind::any_source;
    diagnosis.headline = listed(anybodys) + ", and nobody is left to send";
    return;
  }
  diagnosis.kind = Kind::waiting;
  diagnosis.headline = ranks_that(states, {Doing::waits, Doing::polls});
}

/// A rank names the members of its communicators that are on its node; those of other nodes, where they are described,
/// are the ranks that have counted collective calls there.
void name_members(std::vector<RankState>& states) {
  std::map<std::string_view, std::vector<int>> known;
  for (const RankState& state : states) {
    for (const auto& [communicator, count] : state.collectives) known[communicator].push_back(state.rank);
  }
  for (RankState& state : states) {
    for (Wait& wait : state.waits) {
      const bool names_members = wait.peer == Wait::any || wait.peer == Wait::all;
      const auto found = known.find(wait.communicator);
      if (!names_members || found == known.end() || found->second.size() <= wait.members.size()) continue;
      wait.members = found->second;
      std::ranges::sort(wait.members);
    }
  }
}

void put_unless_told(nlohmann::json& json, const char* key, int number) {
  if (number == Wait::any) json[key] = "any";
  if (number >= 0) json[key] = number;
}

int number_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return Wait::not_told;
  return found->is_string() ? Wait::any : found->get<int>();
}

}  // namespace

std::string_view name_of(RankState::Doing doing) { return name_in(doing_names, doing); }

std::string_view name_of(Diagnosis::Kind kind) {
  constexpr std::array<std::string_view, 9> names{"mismatch",  "cycle",   "ended",   "outside",  "any_source",
                                                  "elsewhere", "threads", "waiting", "computing"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string what_it_does(const RankState& state) {
  const std::string verb = state.doing == Doing::polls ? "polls" : "waits";
  switch (state.doing) {
    case Doing::computes:
      return "computes";
    case Doing::idles:
      return "is outside MPI and takes no processor time";
    case Doing::ended:
      return "has ended";
    case Doing::silent:
      return "shows no sign of life";
    case Doing::waits:
    case Doing::polls:
      break;
  }
  if (state.waits.empty()) {
    return state.requests > 0 ? fmt::format("{} for {} request{} in {}", verb, state.requests,
                                            state.requests == 1 ? "" : "s", state.call)
                              : fmt::format("{} in {}", verb, state.call);
  }
  if (state.waits.size() == 1) {
    const Wait& wait = state.waits.front();
    const std::string of =
        wait.peer != Wait::all && wait.size > 0 ? fmt::format(", communicator of {} ranks", wait.size) : "";
    return fmt::format("{} for {} in {}{}", verb, peer_text(wait), call_text(state, wait), of);
  }
  std::vector<std::string> texts;
  for (const Wait& wait : state.waits) {
    const std::string tag = tag_text(wait);
    texts.push_back(fmt::format("{} {} {}{}", wait.call,
                                wait.way == Way::receives ? "from"
                                : wait.way == Way::sends  ? "to"
                                                          : "with",
                                peer_text(wait), tag.empty() ? "" : ", " + tag));
  }
  const auto known = static_cast<int>(state.waits.size());
  std::string text = state.requests > 0
                         ? fmt::format("{} for {}{} requests in {}: {}", verb, state.one_suffices ? "one of " : "",
                                       state.requests, state.call, fmt::join(texts, "; "))
                         : fmt::format("{} in {}: {}", verb, state.call, fmt::join(texts, "; "));
  if (known < state.requests) text += fmt::format("; {} not told", state.requests - known);
  return text;
}

std::string Diagnosis::phase() const {
  std::map<std::string, int> votes;
  for (const RankState& state : ranks) {
    if (state.doing != Doing::ended && state.doing != Doing::silent) ++votes[state.phase];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  return most == votes.end() ? "ending" : most->first;
}

int Diagnosis::trial() const {
  int latest = -1;
  for (const RankState& state : ranks) latest = std::max(latest, state.trial);
  return latest;
}

std::vector<std::string> Diagnosis::lines(std::size_t most) const {
  if (kind == Kind::threads) return {};
  std::vector<const RankState*> order;
  for (const int rank : cycle) order.push_back(&*std::ranges::find(ranks, rank, &RankState::rank));
  for (const RankState& state : ranks) {
    if (std::ranges::find(cycle, state.rank) == cycle.end()) order.push_back(&state);
  }
  std::vector<std::string> texts;
  const std::string all = phase();
  for (const RankState* state : order) {
    if (texts.size() == most) {
      texts.push_back(fmt::format("and {} more ranks", order.size() - most));
      break;
    }
    const bool same = state->phase == all || state->doing == Doing::ended;
    texts.push_back(fmt::format("rank {}, for {:.1f} s: {}{}", state->rank, state->seconds, what_it_does(*state),
                                same                            ? ""
                                : state->doing == Doing::silent ? ", last seen in: " + state->phase
                                                                : ", in: " + state->phase));
  }
  if (cycle.size() > 1) {
    texts.push_back(fmt::format("wait cycle: rank {} -> rank {}", fmt::join(cycle, " -> rank "), cycle.front()));
  }
  texts.insert(texts.end(), hints.begin(), hints.end());
  return texts;
}

Diagnosis diagnose(std::vector<RankState> states, int ranks) {
  Diagnosis diagnosis;
  diagnosis.ranks = std::move(states);
  name_members(diagnosis.ranks);
  const Graph graph{diagnosis.ranks};
  diagnosis.certain = graph.any_stuck();
  put_into_words(diagnosis.ranks, graph, ranks, diagnosis);
  return diagnosis;
}

void to_json(nlohmann::json& json, const Wait& wait) {
  json = {{"call", wait.call}, {"way", name_in(way_names, wait.way)}};
  if (wait.peer == Wait::all) {
    json["peer"] = "all";
  } else {
    put_unless_told(json, "peer", wait.peer);
  }
  put_unless_told(json, "tag", wait.tag);
  put_unless_told(json, "root", wait.root);
  if (!wait.communicator.empty()) json["communicator"] = wait.communicator;
  if (wait.size > 0) json["size"] = wait.size;
  if (wait.ordinal > 0) json["ordinal"] = wait.ordinal;
  if (!wait.members.empty()) json["members"] = wait.members;
}

void from_json(const nlohmann::json& json, Wait& wait) {
  wait = {};
  wait.call = json.value("call", "");
  wait.way = called(way_names, json.value("way", ""));
  wait.peer = json.value("peer", nlohmann::json{}) == "all" ? Wait::all : number_at(json, "peer");
  wait.tag = number_at(json, "tag");
  wait.root = number_at(json, "root");
  wait.communicator = json.value("communicator", "");
  wait.size = json.value("size", 0);
  wait.ordinal = json.value("ordinal", std::uint64_t{0});
  wait.members = json.value("members", std::vector<int>{});
}

void to_json(nlohmann::json& json, const RankState& state) {
  json = {{"rank", state.rank},
          {"doing", name_of(state.doing)},
          {"seconds", state.seconds},
          {"phase", state.phase},
          {"trial", state.trial}};
  if (!state.call.empty()) json["call"] = state.call;
  if (!state.waits.empty()) json["waits"] = state.waits;
  if (state.requests > 0) json["requests"] = state.requests;
  if (state.one_suffices) json["one_suffices"] = true;
  if (!state.collectives.empty()) json["collectives"] = state.collectives;
}

void from_json(const nlohmann::json& json, RankState& state) {
  state = {};
  state.rank = json.value("rank", 0);
  state.doing = called(doing_names, json.value("doing", ""));
  state.seconds = json.value("seconds", 0.0);
  state.phase = json.value("phase", "");
  state.trial = json.value("trial", -1);
  state.call = json.value("call", "");
  state.waits = json.value("waits", std::vector<Wait>{});
  state.requests = json.value("requests", 0);
  state.one_suffices = json.value("one_suffices", false);
  state.collectives = json.value("collectives", std::map<std::string, std::uint64_t>{});
}

void to_json(nlohmann::json& json, const Diagnosis& diagnosis) {
  json = {{"kind", name_of(diagnosis.kind)}, {"headline", diagnosis.headline}, {"hints", diagnosis.hints},
          {"cycle", diagnosis.cycle},        {"certain", diagnosis.certain},   {"ranks", diagnosis.ranks}};
  // The evidence behind the waits, and long.
  for (nlohmann::json& rank : json["ranks"]) rank.erase("collectives");
}

}  // namespace duet
