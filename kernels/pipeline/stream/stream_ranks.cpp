#include "kernels/pipeline/stream/stream_ranks.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "kernels/core/mpi.hpp"
#include "kernels/pipeline/stream/stage_tasks.hpp"
#include "kernels/pipeline/stream/stage_workers.hpp"

namespace duet {
namespace {

enum Tag : int { item_tag = 1, result_tag = 2, credit_tag = 3, stop_tag = 4, failed_tag = 5 };

/// What moves from rank to rank, and from thread to thread of a rank.
struct Parcel {
  std::int64_t index = 0;
  std::int64_t count = 1;
  std::string fault;
  Bytes data;
  int sender = 0;        ///< who wants its credit back; not in the message
  bool credits = false;  ///< brings the receiver a credit of its sender
};

Parcel parcel_of(StreamItem& item) {
  Parcel parcel;
  parcel.index = item.index;
  parcel.count = item.count;
  parcel.fault = std::move(item.fault);
  parcel.data = std::move(item.data);
  return parcel;
}

void put_into(StreamItem& item, Parcel parcel) {
  item.index = parcel.index;
  item.count = parcel.count;
  item.fault = std::move(parcel.fault);
  item.data = std::move(parcel.data);
}

struct Header {
  std::int64_t index;
  std::int64_t count;
  std::int64_t data_bytes;
  std::int64_t fault_and_credit;  ///< twice the length of the fault, and one where a credit comes with it
};

void pack(const Parcel& parcel, Bytes& message) {
  const Header header{parcel.index, parcel.count, static_cast<std::int64_t>(parcel.data.size()),
                      2 * static_cast<std::int64_t>(parcel.fault.size()) + (parcel.credits ? 1 : 0)};
  message.clear();
  message.reserve(sizeof header + parcel.fault.size() + parcel.data.size());
  message.append({reinterpret_cast<const char*>(&header), sizeof header});
  message.append(parcel.fault);
  message.append(parcel.data.text());
}

void unpack(const Bytes& message, Parcel& parcel) {
  Header header{};
  if (message.size() < sizeof header) throw std::runtime_error("a message of a stream is cut short");
  std::memcpy(&header, message.data(), sizeof header);
  const auto fault = static_cast<std::size_t>(header.fault_and_credit / 2);
  const auto data = static_cast<std::size_t>(header.data_bytes);
  const std::string_view rest = message.text().substr(sizeof header);
  if (fault > rest.size() || data > rest.size() - fault) {
    throw std::runtime_error("a message of a stream is cut short");
  }
  parcel.index = header.index;
  parcel.count = header.count;
  parcel.credits = header.fault_and_credit % 2 != 0;
  parcel.fault = rest.substr(0, fault);
  parcel.data.clear();
  parcel.data.append(rest.substr(fault, data));
}

/// How messages are counted. Beyond what MPI counts in bytes they go in units, and are filled up to a whole number of
/// them.
class MessageUnits {
 public:
  explicit MessageUnits(std::int64_t longest) : longest_{std::min(longest, largest_mpi_count)} {}

  struct Counted {
    MPI_Datatype type;
    int count;
  };
  [[nodiscard]] Counted counted(std::size_t bytes) const {
    const auto all = static_cast<std::int64_t>(bytes);
    if (all <= longest_) return {MPI_BYTE, mpi_count(all)};
    return {unit_.get(), mpi_count(all / unit_bytes)};
  }
  void fill_up(Bytes& message) const {
    const auto all = static_cast<std::int64_t>(message.size());
    if (all > longest_) message.resize(static_cast<std::size_t>((all + unit_bytes - 1) / unit_bytes * unit_bytes));
  }

 private:
  static constexpr std::int64_t unit_bytes = std::int64_t{1} << 20U;
  std::int64_t longest_;
  Datatype unit_ = Datatype::run_of(unit_bytes, MPI_BYTE);
};

/// Parcels between the thread that passes messages and those that work. Any threads.
class Mailbox {
 public:
  void put(Parcel parcel) {
    const std::scoped_lock lock{mutex_};
    parcels_.push_back(std::move(parcel));
    changed_.notify_one();
  }
  void close() {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool empty() const {
    const std::scoped_lock lock{mutex_};
    return parcels_.empty();
  }
  [[nodiscard]] std::optional<Parcel> try_get() {
    const std::scoped_lock lock{mutex_};
    return get();
  }
  /// Waits for one; none where it is closed and empty.
  [[nodiscard]] std::optional<Parcel> wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return closed_ || !parcels_.empty(); });
    return get();
  }

 private:
  std::optional<Parcel> get() {
    if (parcels_.empty()) return std::nullopt;
    Parcel parcel = std::move(parcels_.front());
    parcels_.pop_front();
    return parcel;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Parcel> parcels_;
  bool closed_ = false;
};

/// Immediate sends that are under way, with their messages.
class Sends {
 public:
  Sends(MPI_Comm communicator, const MessageUnits& units)
      : communicator_{communicator}, units_{&units}, counts_(static_cast<std::size_t>(size_of(communicator))) {}
  Sends(const Sends&) = delete;
  Sends& operator=(const Sends&) = delete;
  /// The receivers may never come for what is still under way when an exception unwinds.
  ~Sends() {
    if (unwinding_.now()) return;
    for (Sent& one : sent_) MPI_Wait(&one.request, MPI_STATUS_IGNORE);
  }

  void send(int to, Tag tag, const Parcel& parcel) {
    Sent& one = sent_.emplace_back();
    pack(parcel, one.message);
    units_->fill_up(one.message);
    post(one, to, tag);
  }
  void send_empty(int to, Tag tag) { post(sent_.emplace_back(), to, tag); }

  /// How many to each rank.
  [[nodiscard]] const std::vector<std::int64_t>& counts() const { return counts_; }

  void complete() {
    for (auto one = sent_.begin(); one != sent_.end();) {
      int done = 0;
      check(MPI_Test(&one->request, &done, MPI_STATUS_IGNORE));
      one = done != 0 ? sent_.erase(one) : std::next(one);
    }
  }

 private:
  struct Sent {
    Bytes message;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  void post(Sent& one, int to, Tag tag) {
    const auto [type, count] = units_->counted(one.message.size());
    check(MPI_Isend(one.message.data(), count, type, to, tag, communicator_, &one.request));
    ++counts_[static_cast<std::size_t>(to)];
  }

  MPI_Comm communicator_;
  const MessageUnits* units_;
  std::vector<std::int64_t> counts_;
  std::list<Sent> sent_;
  Unwinding unwinding_;
};

/// Credits for the ranks of a group.
class Credits {
 public:
  Credits(const StageGroup& group, int each) : group_{group}, left_(static_cast<std::size_t>(group.ranks), each) {}

  /// The rank with the most, which loses one; none where nobody has any.
  [[nodiscard]] std::optional<int> spend() {
    const auto most = std::ranges::max_element(left_);
    if (*most == 0) return std::nullopt;
    --*most;
    return group_.first + static_cast<int>(most - left_.begin());
  }
  void give_back(int rank) { ++left_.at(static_cast<std::size_t>(rank - group_.first)); }

 private:
  StageGroup group_;
  std::vector<int> left_;
};

/// Rank 0's ends of the stream.
class Ends {
 public:
  Ends(const Stream& stream, int tokens) : stream_{&stream}, tokens_{tokens} {}

  [[nodiscard]] bool may_fetch() const { return !ended_ && fetched_ - taken_ < tokens_; }
  [[nodiscard]] bool all_taken() const { return ended_ && taken_ == fetched_; }

  [[nodiscard]] std::optional<Parcel> fetch() {
    StreamItem item;
    item.index = fetched_;
    item.data = std::move(spare_);
    item.data.clear();
    if (!stream_->next(item)) {
      ended_ = true;
      return std::nullopt;
    }
    ++fetched_;
    return parcel_of(item);
  }

  /// Takes what is next in order.
  void arrived(Parcel parcel) {
    waiting_.emplace(parcel.index, std::move(parcel));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == taken_; first = waiting_.begin()) {
      StreamItem item;
      put_into(item, std::move(first->second));
      waiting_.erase(first);
      ++taken_;
      stream_->take(item);
      spare_ = std::move(item.data);
    }
  }

 private:
  const Stream* stream_;
  std::int64_t tokens_;
  std::int64_t fetched_ = 0;
  std::int64_t taken_ = 0;
  bool ended_ = false;
  std::map<std::int64_t, Parcel> waiting_;
  Bytes spare_;
};

class RankStream {
 public:
  RankStream(const Stream& stream, const StreamLimits& limits, const std::vector<StageGroup>& groups,
             const Execution& execution)
      : whole_{stream},
        groups_{groups},
        execution_{execution},
        rank_{rank_in(execution.communicator)},
        size_{size_of(execution.communicator)},
        own_{group_of(rank_)},
        local_{local_stream()},
        meter_{local_},
        window_{limits.tokens_for(execution.threads)},
        threads_{io_threads(local_, limits, window_, execution)},
        intake_{local_, meter_, window_, threads_},
        outlet_{local_, meter_, intake_, window_, threads_},
        units_{limits.longest_message},
        sends_{execution.communicator, units_},
        received_(static_cast<std::size_t>(size_)) {
    if (rank_ == 0) {
      ends_.emplace(stream, window_ * size_);
      to_first_.emplace(groups_.front(), window_);
    }
    if (own_ + 1 < groups_.size()) {
      // All senders together may not overrun a receiver.
      to_next_.emplace(groups_[own_ + 1], std::max(1, window_ / groups_[own_].ranks));
    }
  }

  StreamFigures run() {
    std::exception_ptr failure;
    try {
      work_off_by_tasks(local_, threads_.leading, meter_, outlet_, execution_,
                        [this](bool may_wait) { return supply(may_wait); });
      outlet_.finish();
    } catch (...) {
      failure = std::current_exception();
      inbox_.close();
      give_up();
    }
    end_together(failure);
    return gathered_figures();
  }

 private:
  [[nodiscard]] std::size_t group_of(int rank) const {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (rank >= groups_[g].first && rank < groups_[g].first + groups_[g].ranks) return g;
    }
    throw std::invalid_argument("rank " + std::to_string(rank) + " is in no group of stages");
  }

  /// The stages of this rank's group, between its mailboxes.
  [[nodiscard]] Stream local_stream() {
    const StageGroup& mine = groups_[own_];
    Stream local;
    local.stages.assign(whole_.stages.begin() + static_cast<std::ptrdiff_t>(mine.begin),
                        whole_.stages.begin() + static_cast<std::ptrdiff_t>(mine.end));
    // Told of items that came here, in the order in which they are to be read.
    expect_ = std::exchange(local.stages.front().expect, nullptr);
    local.next = [this](StreamItem& item) {
      std::optional<Parcel> parcel = inbox_.wait();
      if (!parcel) return false;
      {
        const std::scoped_lock lock{senders_mutex_};
        senders_[parcel->index] = parcel->sender;
      }
      put_into(item, std::move(*parcel));
      return true;
    };
    local.take = [this](StreamItem& item) {
      Parcel parcel = parcel_of(item);
      {
        const std::scoped_lock lock{senders_mutex_};
        parcel.sender = senders_.extract(item.index).mapped();
      }
      outbox_.put(std::move(parcel));
    };
    return local;
  }

  Intake::Supplied supply(bool may_wait) {
    constexpr std::chrono::microseconds pause{20};
    constexpr int polls_before_pause = 200;
    for (int polls = 0;; ++polls) {
      pass_messages();
      if (stopped_) return {Intake::Supply::ended, nullptr};
      if (threads_.readers != 0 || !inbox_.empty()) {
        const Intake::Supplied supplied = intake_.try_pull();
        if (supplied.supply == Intake::Supply::item) return supplied;
      }
      if (!may_wait) return {Intake::Supply::nothing_yet, nullptr};
      // Ranks that share a core, and threads that read and write, get it after a while.
      if (polls < polls_before_pause) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(pause);
      }
    }
  }

  void pass_messages() {
    sends_.complete();
    receive();
    forward();
    if (rank_ == 0) fetch();
  }

  void receive() {
    while (true) {
      int found = 0;
      MPI_Message matched = MPI_MESSAGE_NULL;
      MPI_Status status;
      check(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, execution_.communicator, &found, &matched, &status));
      if (found == 0) return;
      MPI_Count bytes = 0;
      check(MPI_Get_elements_x(&status, MPI_BYTE, &bytes));
      message_.resize(static_cast<std::size_t>(bytes));
      const auto [type, count] = units_.counted(message_.size());
      check(MPI_Mrecv(message_.data(), count, type, &matched, MPI_STATUS_IGNORE));
      ++received_[static_cast<std::size_t>(status.MPI_SOURCE)];
      if (!discards_) accept(status.MPI_TAG, status.MPI_SOURCE);
    }
  }

  void accept(int tag, int sender) {
    switch (tag) {
      case credit_tag:
        return (group_of(sender) == 0 ? to_first_ : to_next_).value().give_back(sender);
      case stop_tag:
        stopped_ = true;
        return inbox_.close();
      case failed_tag:
        return stop_all();
      default:
        break;
    }
    Parcel parcel;
    unpack(message_, parcel);
    parcel.sender = sender;
    if (tag == item_tag) return deliver(std::move(parcel));
    if (parcel.credits) (group_of(sender) == 0 ? to_first_ : to_next_).value().give_back(sender);
    arrived(std::move(parcel));
  }

  void deliver(Parcel parcel) {
    if (expect_) expect_(parcel.index);
    inbox_.put(std::move(parcel));
  }

  void arrived(Parcel parcel) {
    ends_.value().arrived(std::move(parcel));
    if (ends_->all_taken()) stop_all();
  }

  void stop_all() {
    if (stopped_) return;
    for (int rank = 1; rank < size_; ++rank) sends_.send_empty(rank, stop_tag);
    stopped_ = true;
    inbox_.close();
  }

  /// What this rank is done with goes to the next group, as far as there are credits, or to the end.
  void forward() {
    while (true) {
      if (!held_) held_ = outbox_.try_get();
      if (!held_) return;
      const bool last = own_ + 1 == groups_.size();
      const std::optional<int> to = last ? std::optional{0} : to_next_->spend();
      if (!to) return;
      Parcel parcel = std::move(*held_);
      held_.reset();
      const int sender = parcel.sender;
      if (last && *to == rank_) {
        credit(sender);
        arrived(std::move(parcel));
        continue;
      }
      parcel.credits = last && sender == 0;
      sends_.send(*to, last ? result_tag : item_tag, parcel);
      if (!parcel.credits) credit(sender);
    }
  }

  /// Done with an item of `sender`.
  void credit(int sender) {
    if (sender == rank_) {
      to_first_.value().give_back(rank_);
    } else {
      sends_.send_empty(sender, credit_tag);
    }
  }

  void fetch() {
    while (!stopped_ && ends_->may_fetch() && (!whole_.ready || whole_.ready())) {
      const std::optional<int> to = to_first_->spend();
      if (!to) return;
      std::optional<Parcel> parcel = ends_->fetch();
      if (!parcel) {
        to_first_->give_back(*to);
        if (ends_->all_taken()) stop_all();
        return;
      }
      if (*to == 0) {
        deliver(std::move(*parcel));
      } else {
        sends_.send(*to, item_tag, *parcel);
      }
    }
  }

  /// This rank cannot go on: everybody stops, in an orderly way.
  void give_up() {
    if (stopped_) return;
    if (rank_ == 0) return stop_all();
    sends_.send_empty(0, failed_tag);
    while (!stopped_) {
      sends_.complete();
      receive();
      std::this_thread::yield();
    }
  }

  /// Receives what is still on its way, so that nothing of this stream meets the next one, and sees whether all ranks
  /// came to the end. Throws on every rank where one did not.
  void end_together(const std::exception_ptr& failure) {
    const MPI_Comm all = execution_.communicator;
    std::vector<std::int64_t> to_come(received_.size());
    check(MPI_Alltoall(sends_.counts().data(), 1, MPI_INT64_T, to_come.data(), 1, MPI_INT64_T, all));
    discards_ = true;
    while (received_ != to_come) {
      sends_.complete();
      receive();
      std::this_thread::yield();
    }
    int failed = failure ? 1 : 0;
    check(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, all));
    if (failure) std::rethrow_exception(failure);
    if (failed != 0) throw EndedByAnotherRank{};
  }

  [[nodiscard]] StreamFigures gathered_figures() const {
    constexpr std::size_t sums = 7;
    const StreamFigures mine = figures_with_workers(meter_, execution_.threads, threads_);
    std::vector<double> added(sums * whole_.stages.size());
    std::vector<double> most(whole_.stages.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const StageFigures& stage = mine[i];
      const auto items = static_cast<double>(stage.items);
      const std::array<double, sums> line{items,
                                          static_cast<double>(stage.bytes_in),
                                          static_cast<double>(stage.bytes_out),
                                          stage.useful_seconds,
                                          stage.queued_seconds,
                                          stage.mean_depth * items,
                                          static_cast<double>(stage.workers)};
      const std::size_t at = groups_[own_].begin + i;
      std::ranges::copy(line, added.begin() + static_cast<std::ptrdiff_t>(sums * at));
      most[at] = static_cast<double>(stage.most_depth);
    }
    const MPI_Comm all = execution_.communicator;
    check(MPI_Allreduce(MPI_IN_PLACE, added.data(), mpi_count(static_cast<std::int64_t>(added.size())), MPI_DOUBLE,
                        MPI_SUM, all));
    check(MPI_Allreduce(MPI_IN_PLACE, most.data(), mpi_count(static_cast<std::int64_t>(most.size())), MPI_DOUBLE,
                        MPI_MAX, all));
    StreamFigures figures;
    for (std::size_t i = 0; i < whole_.stages.size(); ++i) {
      const double* const line = &added[sums * i];
      figures.push_back({.name = whole_.stages[i].name,
                         .kind = whole_.stages[i].kind,
                         .in_order = whole_.stages[i].in_order,
                         .workers = static_cast<int>(line[6]),
                         .items = static_cast<std::int64_t>(line[0]),
                         .bytes_in = static_cast<std::int64_t>(line[1]),
                         .bytes_out = static_cast<std::int64_t>(line[2]),
                         .useful_seconds = line[3],
                         .queued_seconds = line[4],
                         .mean_depth = line[0] == 0 ? 0 : line[5] / line[0],
                         .most_depth = static_cast<std::int64_t>(most[i])});
    }
    return figures;
  }

  const Stream& whole_;
  std::vector<StageGroup> groups_;
  Execution execution_;
  int rank_;
  int size_;
  std::size_t own_;
  Mailbox inbox_;
  Mailbox outbox_;
  std::mutex senders_mutex_;
  std::map<std::int64_t, int> senders_;
  std::function<void(std::int64_t)> expect_;
  Stream local_;
  StageMeter meter_;
  int window_;
  IoThreads threads_;
  Intake intake_;
  Outlet outlet_;
  MessageUnits units_;
  Sends sends_;
  std::vector<std::int64_t> received_;  // messages from each rank
  std::optional<Ends> ends_;
  std::optional<Credits> to_first_;
  std::optional<Credits> to_next_;
  std::optional<Parcel> held_;
  Bytes message_;
  bool stopped_ = false;
  bool discards_ = false;  // the stream has ended, and what still comes is of no use
};

}  // namespace

StreamFigures stream_ranks(const Stream& stream, const StreamLimits& limits, const std::vector<StageGroup>& groups,
                           const Execution& execution) {
  for (const StreamStage& stage : stream.stages) {
    if (stage.in_order && size_of(execution.communicator) > 1) {
      throw std::invalid_argument("stage " + stage.name + " goes in order, and ranks do not keep one between stages");
    }
  }
  return RankStream{stream, limits, groups, execution}.run();
}

}  // namespace duet
