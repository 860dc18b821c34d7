#include "kernels/data_decomposition/matmul/verify.hpp"

#include "kernels/product/judge.hpp"

namespace duet {
namespace {

Runs run_of(const Range& range) { return {range.begin, range.size(), range.size(), 1}; }

template <class Element>
Judgement judge_blocks(const OwnedBlocksOf<Element>& mine, std::uint64_t seed) {
  const RankGrid& ranks = mine.ranks;
  const ProductShape& shape = mine.layout.shape();
  const Block a = mine.layout.a_of(ranks.rank());
  const Block b = mine.layout.b_of(ranks.rank());
  const Block c = mine.layout.c_of(ranks.rank());
  return judge(OwnedProduct<Element>{.all = ranks.all(),
                                     .along_row = ranks.same_row(),
                                     .along_column = ranks.same_column(),
                                     .m = shape.m,
                                     .n = shape.n,
                                     .k = shape.k,
                                     .a = mine.a,
                                     .b = mine.b,
                                     .c = mine.c,
                                     .rows = run_of(a.rows),
                                     .columns = run_of(c.columns),
                                     .a_columns = run_of(a.columns),
                                     .b_rows = run_of(b.rows),
                                     .c_begin = c.rows.begin - a.rows.begin},
               seed);
}

}  // namespace

Judgement judge_product(const OwnedBlocksOf<double>& mine, std::uint64_t seed) { return judge_blocks(mine, seed); }
Judgement judge_product(const OwnedBlocksOf<float>& mine, std::uint64_t seed) { return judge_blocks(mine, seed); }

}  // namespace duet
