# How the tests start MPI jobs. Everything a job needs stands in the test's own properties, so that `ctest` does the same
# for every user in every shell.
#
#   add_mpi_test(NAME target [RANKS r...] [THREADS t] [TIMEOUT seconds] [LABELS label...] [ARGS argument...])
#
# registers the test NAME_<r>_ranks for each number of ranks (1 2 3 4 7 where none are given). THREADS says how many
# threads each rank starts, for ctest's count of PROCESSORS only. Link the target to `duet_mpi_main` for a main() that
# starts MPI, ends the whole job when one rank fails, and says who waits for whom where none can go on.
#
#   set_mpi_environment(test...)
#
# gives tests that start mpirun themselves the same environment.

# OpenMPI 4.1: one-sided calls crash in its default component, two ranks bind to one core each and their threads share
# it, ranks beyond the cores are refused, and so is root (which is who runs in a container). OpenMP's idle threads spin
# by default, on the cores that the others then lack.
set(duet_mpi_environment
  OMP_WAIT_POLICY=passive
  OMPI_ALLOW_RUN_AS_ROOT=1
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_hwloc_base_binding_policy=none
  OMPI_MCA_osc=sm,pt2pt
  OMPI_MCA_odls_base_sigkill_timeout=0
  OMPI_MCA_mpi_yield_when_idle=1)

function(set_mpi_environment)
  foreach(test IN LISTS ARGN)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT ${duet_mpi_environment})
  endforeach()
endfunction()

function(add_mpi_test name target)
  cmake_parse_arguments(PARSE_ARGV 2 job "" "THREADS;TIMEOUT" "RANKS;LABELS;ARGS")
  if(job_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_mpi_test(${name}): unknown argument '${job_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT job_RANKS)
    set(job_RANKS 1 2 3 4 7)
  endif()
  if(NOT job_THREADS)
    set(job_THREADS 1)
  endif()
  if(NOT job_TIMEOUT)
    set(job_TIMEOUT 60)
  endif()
  if(DUET_SANITIZE)
    math(EXPR job_TIMEOUT "${job_TIMEOUT} * 5")
  endif()
  # A stuck mpirun may ignore SIGTERM: mpirun ends the job itself, `timeout` kills it three seconds later, ctest is last.
  math(EXPR kill_after "${job_TIMEOUT} + 3")
  math(EXPR give_up_after "${job_TIMEOUT} + 15")
  foreach(ranks IN LISTS job_RANKS)
    set(test ${name}_${ranks}_ranks)
    math(EXPR processors "${ranks} * ${job_THREADS}")
    add_test(NAME ${test} COMMAND timeout -k 3 ${kill_after}
      ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${target}> ${job_ARGS})
    set_tests_properties(${test} PROPERTIES PROCESSORS ${processors} TIMEOUT ${give_up_after} LABELS "mpi;${job_LABELS}")
    set_mpi_environment(${test})
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT MPIEXEC_TIMEOUT=${job_TIMEOUT})
  endforeach()
endfunction()

if(NOT TARGET duet_mpi_main)
  find_package(GTest REQUIRED)
  add_library(duet_mpi_main STATIC "${CMAKE_CURRENT_LIST_DIR}/mpi_main.cpp")
  target_link_libraries(duet_mpi_main PUBLIC GTest::gtest MPI::MPI_CXX PRIVATE duet_watchdog duet_flags)
endif()
