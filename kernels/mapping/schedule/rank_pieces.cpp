#include "kernels/mapping/schedule/rank_pieces.hpp"

#include <algorithm>

namespace duet {

RankPieces::RankPieces(const Plan& plan, Schedule schedule, int threads, RankWords& words)
    : plan_{plan},
      schedule_{schedule},
      threads_{threads},
      words_{words},
      rank_{rank_in(words.communicator())},
      ranks_{size_of(words.communicator())} {
  if (schedule == Schedule::guided) chunks_ = plan.guided_chunks(ranks_ * threads_);
  if (schedule == Schedule::stealing) own_ = packed(share_of(plan.pieces(), ranks_, rank_));
  words_.start(own_);
}

std::optional<Range> RankPieces::next() {
  switch (schedule_) {
    case Schedule::block:
      return next_block();
    case Schedule::cyclic:
      return next_cyclic();
    case Schedule::stealing: {
      const std::optional<Range> own = next_own();
      return own ? own : steal();
    }
    default:
      return next_counted();
  }
}

std::optional<Range> RankPieces::next_block() {
  const Range share = share_of(plan_.pieces(), ranks_, rank_);
  if (round_++ > 0 || share.empty()) return std::nullopt;
  return share;
}

std::optional<Range> RankPieces::next_cyclic() {
  // Worker w of all has pieces w, w + workers, ...: this rank's workers have `threads` neighbours in each round.
  const std::int64_t begin = (round_++ * ranks_ + rank_) * threads_;
  if (begin >= plan_.pieces()) return std::nullopt;
  return Range{begin, std::min(begin + threads_, plan_.pieces())};
}

std::optional<Range> RankPieces::next_counted() {
  const auto ticket = static_cast<std::int64_t>(words_.fetch_and_add(0, 1));
  if (schedule_ == Schedule::guided) {
    const auto chunk = static_cast<std::size_t>(ticket);
    if (chunk + 1 >= chunks_.size()) return std::nullopt;
    return Range{chunks_[chunk], chunks_[chunk + 1]};
  }
  if (ticket >= plan_.pieces()) return std::nullopt;
  return Range{ticket, ticket + 1};
}

std::optional<Range> RankPieces::next_own() {
  for (;;) {
    const Range mine = unpacked(own_);
    if (mine.empty()) return std::nullopt;
    const std::uint64_t rest = packed({mine.begin + 1, mine.end});
    const std::uint64_t seen = words_.compare_and_swap(rank_, own_, rest);
    if (seen == own_) {
      own_ = rest;
      return Range{mine.begin, mine.begin + 1};
    }
    own_ = seen;  // a thief was here
  }
}

std::optional<Range> RankPieces::steal() {
  // One look at every other rank, the next one first, so that not all thieves go to rank 0. Pieces that a thief has
  // taken and not yet put into its word are not seen: they are done by that thief.
  for (int distance = 1; distance < ranks_; ++distance) {
    const int victim = (rank_ + distance) % ranks_;
    std::uint64_t word = words_.read(victim);
    for (Range left = unpacked(word); !left.empty(); left = unpacked(word)) {
      const std::int64_t cut = cut_of(left);
      const std::uint64_t seen = words_.compare_and_swap(victim, word, packed({left.begin, cut}));
      if (seen == word) {
        // The own word is empty, and thieves leave empty words alone: a plain atomic write is enough.
        own_ = packed({cut + 1, left.end});
        words_.write(rank_, own_);
        return Range{cut, cut + 1};
      }
      word = seen;
    }
  }
  return std::nullopt;
}

}  // namespace duet
