/// What the kernels compute with, replaced by what it costs. The linker's --wrap sends calls of `f` to __wrap_f, and
/// lets __real_f call `f` itself; the labels below name them as the compiler does. A signature that changes in the
/// kernels leaves a __real_ without a definition, which the link refuses.

#include <span>
#include <string_view>

#include "drivers/simulate/simulation.hpp"
#include "kernels/arithmetic/fibonacci_residue.hpp"
#include "kernels/arithmetic/natural.hpp"
#include "kernels/local_product/local_product.hpp"
#include "kernels/local_product/shapes.hpp"
#include "kernels/mapping/fib_batch/plan.hpp"

namespace duet {

const LocalKernel& true_kernel(std::string_view choice)  //
    __asm__("__real__ZN4duet12local_kernelESt17basic_string_viewIcSt11char_traitsIcEE");
const LocalKernel& charged_kernel(std::string_view choice)  //
    __asm__("__wrap__ZN4duet12local_kernelESt17basic_string_viewIcSt11char_traitsIcEE");

Natural true_fibonacci(std::uint64_t n, TransformContext& context)  //
    __asm__("__real__ZN4duet9fibonacciEmRNS_16TransformContextE");
Natural charged_fibonacci(std::uint64_t n, TransformContext& context)  //
    __asm__("__wrap__ZN4duet9fibonacciEmRNS_16TransformContextE");

void true_residues(const FibonacciModulo* self, std::span<const std::uint64_t> inputs, std::span<std::uint64_t> out)  //
    __asm__("__real__ZNK4duet15FibonacciModuloclESt4spanIKmLm18446744073709551615EES1_ImLm18446744073709551615EE");
void charged_residues(const FibonacciModulo* self, std::span<const std::uint64_t> inputs,
                      std::span<std::uint64_t> out)  //
    __asm__("__wrap__ZNK4duet15FibonacciModuloclESt4spanIKmLm18446744073709551615EES1_ImLm18446744073709551615EE");

Plan true_plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers)  //
    __asm__("__real__ZN4duet14fib_batch_planERKNS_8FibBatchENS_8ScheduleEli");
Plan charged_plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers)  //
    __asm__("__wrap__ZN4duet14fib_batch_planERKNS_8FibBatchENS_8ScheduleEli");

namespace {

// Vectors hold twice as many floats: they are charged half.
template <class Element>
void multiply(const MatrixView<const Element>& a, const MatrixView<const Element>& b, const MatrixView<Element>& c,
              Update update) {
  check_shapes(a, b, c);
  Simulation& simulation = Simulation::here();
  const double seconds = simulation.rates().product_seconds(c.rows, c.columns, a.columns);
  simulation.charge(seconds * static_cast<double>(sizeof(Element)) / sizeof(double));
  if (simulation.computing()) true_kernel("duet").of<Element>()(a, b, c, update);
}

}  // namespace

const LocalKernel& charged_kernel(std::string_view /*choice*/) {
  static const LocalKernel kernel{"duet, charged at the rates of " + Simulation::here().rates().local_kernel, "none",
                                  multiply<double>, multiply<float>};
  return kernel;
}

Natural charged_fibonacci(std::uint64_t n, TransformContext& context) {
  Simulation& simulation = Simulation::here();
  simulation.charge(1e-9 * simulation.rates().fibonacci_scale * fibonacci_nanoseconds(n));
  return simulation.computing() ? true_fibonacci(n, context) : Natural{};
}

void charged_residues(const FibonacciModulo* self, std::span<const std::uint64_t> inputs,
                      std::span<std::uint64_t> out) {
  Simulation& simulation = Simulation::here();
  simulation.charge(simulation.rates().residue_seconds * static_cast<double>(inputs.size()));
  if (simulation.computing()) true_residues(self, inputs, out);
}

// Only longest_first looks at every item of an exact batch; the other plans take 256 estimates, and no time.
Plan charged_plan(const FibBatch& batch, Schedule schedule, std::int64_t grain, int workers) {
  Plan plan = true_plan(batch, schedule, grain, workers);
  if (schedule == Schedule::longest_first && batch.exact()) {
    Simulation& simulation = Simulation::here();
    simulation.spend(simulation.rates().planning_seconds * static_cast<double>(batch.inputs.count()));
  }
  return plan;
}

}  // namespace duet
