#!/usr/bin/env bash
# jobs/build.sh and jobs/test.sh on a project of one file.
source "$(dirname "$0")/expect.sh"
command -v ninja > /dev/null || skip "no ninja here"

mkdir -p "$workshop/jobs"
cp "$repository"/jobs/{build,test}.sh "$workshop/jobs"
cp "$repository/CMakePresets.json" "$workshop"
printf '#!/bin/bash\necho "setup: $*"\n' > "$workshop/jobs/setup.sh"
chmod +x "$workshop/jobs/setup.sh"
cat > "$workshop/CMakeLists.txt" << 'TEXT'
cmake_minimum_required(VERSION 3.25)
project(one LANGUAGES CXX)
add_executable(one one.cpp)
enable_testing()
add_test(NAME one COMMAND one)
TEXT

echo 'int main() {}' > "$workshop/one.cpp"
run "$workshop/jobs/build.sh"
expect "a project builds" exited_with 0
expect "into build/" test -x "$workshop/build/one"
expect "with few words" test "$(wc -l <<< "$output")" -le 4

run "$workshop/jobs/test.sh"
expect "the tests run" exited_with 0
expect "after the set-up with all they need" says "setup: --tests --bench --box --simulate"
expect "in the folder of their preset" test -x "$workshop/build-dev/one"
expect "the closing lines of ctest are the last" grep -q '^Total Test time' <<< "$(tail -n 1 <<< "$output")"

run "$workshop/jobs/test.sh" -R nothing-is-called-so
expect "no test is no success" test "$status" -ne 0

echo 'int main() { return 1; }' > "$workshop/one.cpp"
run "$workshop/jobs/test.sh"
expect "a failing test is told by the exit status" test "$status" -ne 0

echo 'int main() { return surely_undeclared; }' > "$workshop/one.cpp"
run "$workshop/jobs/build.sh"
expect "an error of the compiler ends it" exited_with 1
expect "with the compiler's own words" says surely_undeclared
expect "and where the rest is" says "the whole output is in build/build.log"

echo 'project(' > "$workshop/CMakeLists.txt"
run "$workshop/jobs/build.sh"
expect "an error of CMake ends it" exited_with 1
expect "with CMake's own words" says "CMake Error"

run "$workshop/jobs/build.sh" nonesuch
expect "an unknown preset ends it" exited_with 1
expect "by its name" says nonesuch
run "$workshop/jobs/test.sh" --preset nonesuch
expect "an unknown preset of the tests ends it" exited_with 1
expect "with those there are" says "there are dev, asan, tsan and coverage"
run "$workshop/jobs/test.sh" --preset
expect "a preset without a name ends it" exited_with 1
finish
