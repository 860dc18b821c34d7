/// One form in a process of its own, for what only its exit status and its output tell: hazards_one_form HAZARD FORM.

#include <cstdio>

#include "kernels/hazards/hazard.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  using namespace duet::hazards;
  const Hazard& hazard = hazard_called(argv[1]);
  std::printf("%s\n", hazard.judge(hazard.form(argv[2]).run({})).says.c_str());
  return 0;
}
