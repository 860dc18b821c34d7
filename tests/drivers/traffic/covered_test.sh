#!/usr/bin/env bash
# Every MPI function that the kernels call is either counted by drivers/traffic or known to move nothing that counts.
#   covered_test.sh LAYER LIBRARY...      static libraries: the counting layer, and the kernels
set -euo pipefail

# Questions, set-up and completion. What a receive delivers is counted where it is sent; what windows and communicators
# move while they are made is not the kernel's algorithm.
moves_nothing='
  Abort Finalized Initialized Error_string Wtime Get_count Get_elements_x Get_address Query_thread
  Comm_create Comm_create_group Comm_dup Comm_free Comm_get_attr Comm_group Comm_rank Comm_set_errhandler Comm_size
  Comm_split Comm_split_type Group_free Group_incl Group_rank Group_size Group_translate_ranks
  Cart_coords Cart_create Cart_get Cart_rank Cart_shift Cart_sub Dims_create
  Type_commit Type_contiguous Type_create_hvector Type_create_resized Type_create_struct Type_create_subarray Type_free
  Type_get_extent Type_indexed Type_size Type_size_x Type_vector Op_create Op_free Reduce_local
  Recv Irecv Probe Iprobe Mprobe Improbe Mrecv Imrecv Cancel Request_free Request_get_status
  Wait Waitall Waitany Waitsome Test Testall Testany Testsome Test_cancelled
  Buffer_attach Buffer_detach
  Win_allocate Win_allocate_shared Win_attach Win_create Win_create_dynamic Win_detach Win_free Win_get_attr
  Win_get_group Win_set_errhandler Win_shared_query
  Win_complete Win_fence Win_flush Win_flush_all Win_flush_local Win_flush_local_all Win_lock Win_lock_all Win_post
  Win_start Win_sync Win_test Win_unlock Win_unlock_all Win_wait
  Alloc_mem Free_mem Info_create Info_free Info_set'

layer=$1
shift
known=" $(nm --defined-only "$layer" | awk '$2 == "T" && $3 ~ /^MPI_/ { printf "%s ", $3 }')"
if [ "$known" = "  " ]; then
  echo "$layer defines no MPI function: it would count nothing" >&2
  exit 1
fi
for name in $moves_nothing; do known+="MPI_$name "; done

status=0
called=0
for library in "$@"; do
  for name in $(nm --undefined-only "$library" 2>/dev/null | awk '$2 ~ /^P?MPI_[A-Z]/ { print $2 }' | sort -u); do
    called=$((called + 1))
    case $known in
      *" $name "*) ;;
      *)
        echo "$(basename "$library") calls $name, which drivers/traffic/mpi_calls.cpp does not count:" \
          "add it there, or to this test's list if it moves no data between ranks" >&2
        status=1
        ;;
    esac
  done
done
if [ "$called" = 0 ]; then
  echo "none of $* calls MPI: this test looks at the wrong files" >&2
  exit 1
fi
exit $status
