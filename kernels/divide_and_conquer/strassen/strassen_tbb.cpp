#include <oneapi/tbb/task_group.h>

#include "kernels/core/tbb_team.hpp"
#include "kernels/divide_and_conquer/strassen/local_leaf.hpp"
#include "kernels/divide_and_conquer/strassen/shared_product.hpp"
#include "kernels/divide_and_conquer/strassen/strassen.hpp"
#include "kernels/local_product/shapes.hpp"

namespace duet {
namespace {

/// For use inside the arena alone.
class StealingTeam : public StrassenTeam {
 public:
  using StrassenTeam::StrassenTeam;

  // This thread takes the first, thieves take the oldest that is left. What one throws cancels the others and comes out
  // of the wait.
  void each(std::int64_t count, const std::function<void(std::int64_t)>& act) override {
    if (count == 0) return;
    oneapi::tbb::task_group tasks;
    for (std::int64_t index = 1; index < count; ++index) tasks.run([&act, index] { act(index); });
    tasks.run_and_wait([&act] { act(0); });
  }

 protected:
  [[nodiscard]] int thread() const override { return TbbTeam::worker(); }
};

}  // namespace

template <class Element>
void strassen_tbb(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                  const Execution& execution, PackingSpace& space) {
  if (!execution.on_worker_start) return strassen_tbb(a, b, c, execution, space, TbbTeam::kept(execution.threads));
  TbbTeam team{execution};
  strassen_tbb(a, b, c, execution, space, team);
}

template <class Element>
void strassen_tbb(MatrixView<const Element> a, MatrixView<const Element> b, MatrixView<Element> c,
                  const Execution& execution, PackingSpace& space, TbbTeam& arena) {
  check_shapes(a, b, c);
  StealingTeam team{execution};
  LocalLeaf<Element> leaf{local_kernel(execution.text_or("local_kernel", "auto")), team, execution.whole_or("tile", 0)};
  const SharedPlan plan = shared_plan({c.rows, c.columns, a.columns}, execution);
  arena.run([&] { multiply_shared(a, b, c, plan, team, leaf, space); });
}

template void strassen_tbb(MatrixView<const double>, MatrixView<const double>, MatrixView<double>, const Execution&,
                           PackingSpace&);
template void strassen_tbb(MatrixView<const float>, MatrixView<const float>, MatrixView<float>, const Execution&,
                           PackingSpace&);
template void strassen_tbb(MatrixView<const double>, MatrixView<const double>, MatrixView<double>, const Execution&,
                           PackingSpace&, TbbTeam&);
template void strassen_tbb(MatrixView<const float>, MatrixView<const float>, MatrixView<float>, const Execution&,
                           PackingSpace&, TbbTeam&);

}  // namespace duet
