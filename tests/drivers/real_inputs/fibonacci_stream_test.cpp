/// `duet fibonacci --stream` in every model.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/drivers/files/scratch_folder.hpp"
#include "tests/drivers/real_inputs/program.hpp"

namespace duet {
namespace {

class FibonacciStreamInModel : public testing::TestWithParam<Start> {
 protected:
  [[nodiscard]] std::string command(const std::string& arguments) const {
    return GetParam().prefix + "$duet fibonacci --stream " + GetParam().options + " " + arguments;
  }
  Ended run(const std::string& shell) { return run_in(folder_.path(""), shell); }
  ScratchFolder folder_;
};

TEST_P(FibonacciStreamInModel, AnswersAsTheOtherWayDoes) {
  std::string inputs = "# in an order of its own\n\n";
  for (int i = 0; i < 3'000; ++i) {
    inputs += (i % 3 == 0 ? "-" : "") + std::to_string((i * 777 + 5) % 3'000) + (i % 5 == 0 ? "  # so\r\n" : "\n");
  }
  inputs += "20000\n-100000\n16384";
  folder_.file("n.txt", inputs);
  const Ended expected = run("$duet fibonacci --model serial --inputs n.txt");
  ASSERT_EQ(expected.status, 0) << expected.error;
  const Ended to_output = run(command("--inputs - <n.txt"));
  EXPECT_EQ(to_output.status, 0) << to_output.error;
  EXPECT_TRUE(to_output.output == expected.output);
  EXPECT_NE(to_output.error.find("3003 numbers and "), std::string::npos) << to_output.error;
  EXPECT_NE(to_output.error.find("\nbound by "), std::string::npos) << to_output.error;
  const Ended to_file = run(command("--inputs n.txt -o f.txt"));
  EXPECT_EQ(to_file.status, 0) << to_file.error;
  EXPECT_TRUE(content_of(folder_.path("f.txt")) == expected.output);
  EXPECT_EQ(folder_.entries(), 2U);
  const Ended modulo = run(command("--inputs n.txt --mod 1000000007"));
  EXPECT_EQ(modulo.status, 0) << modulo.error;
  EXPECT_TRUE(modulo.output == run("$duet fibonacci --model serial --inputs n.txt --mod 1000000007").output);
}

TEST_P(FibonacciStreamInModel, AnswersALineWhileLaterOnesAreNotWritten) {
  // The next line is written when the one before is answered; the last one comes in two parts.
  const Ended ended = run("mkfifo in out; " + command("--inputs - <in >out 2>said &") +
                          " exec 3>in 4<out; echo 10 >&3; read a <&4; echo 20 >&3; read b <&4;"
                          " printf '30\\n4' >&3; read c <&4; echo 0 >&3; read d <&4; exec 3>&-; wait $!;"
                          " echo $? $a $b $c $d");
  EXPECT_EQ(ended.output, "0 55 6765 832040 102334155\n") << content_of(folder_.path("said"));
}

TEST_P(FibonacciStreamInModel, TellsOfALineThatIsWrongAndGoesOn) {
  folder_.file("n.txt", "1\n\n2.5\n10\n200000000000\nabc\n-8\n");
  const Ended ended = run(command("--inputs n.txt -o f.txt"));
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.error.find("duet: n.txt: line 3: expected a whole number, found '2.5'\n"), std::string::npos)
      << ended.error;
  EXPECT_NE(ended.error.find("duet: n.txt: line 5: F(200000000000) "), std::string::npos) << ended.error;
  EXPECT_NE(ended.error.find("duet: n.txt: line 6: expected a whole number, found 'abc'\n"), std::string::npos);
  EXPECT_NE(ended.error.find("3 numbers and "), std::string::npos) << ended.error;
  EXPECT_EQ(content_of(folder_.path("f.txt")), "1\n\n55\n\n\n-21\n");
}

TEST_P(FibonacciStreamInModel, EndsWithAFullDiskWhileMoreIsStillToCome) {
  const Ended ended = run("mkfifo in; " + command("--inputs - -o /dev/full <in 2>said &") +
                          " exec 3>in; echo 10 >&3; wait $!; echo $?");
  EXPECT_EQ(ended.output, "1\n");
  EXPECT_NE(content_of(folder_.path("said")).find("duet: /dev/full: cannot write at byte 0"), std::string::npos)
      << content_of(folder_.path("said"));
}

TEST_P(FibonacciStreamInModel, LeavesNothingWhenItIsInterrupted) {
  folder_.file("f.txt", "before");
  // When its temporary file is there, it has begun.
  const Ended ended = run("mkfifo in; export OMPI_MCA_odls_base_sigkill_timeout=1; " +
                          command("--inputs - -o f.txt <in >/dev/null 2>&1 &") +
                          " pid=$!; exec 3>in; seq 1000 >&3;"
                          " until ls .f.txt.*.part >/dev/null 2>&1; do sleep 0.02; done;"
                          " kill -TERM $pid; wait $pid; exec 3>&-; ls -A");
  EXPECT_EQ(ended.output, "f.txt\nin\n");
  EXPECT_EQ(content_of(folder_.path("f.txt")), "before");
}

/// Those in one process: a limit of file sizes would hit what ranks share as well.
class FibonacciStreamInAProcess : public FibonacciStreamInModel {};

TEST_P(FibonacciStreamInAProcess, LeavesNothingOfAFileThatIsTooLarge) {
  folder_.file("f.txt", "before");
  const Ended ended = run("ulimit -f 100; seq 5000 | " + command("--inputs - -o f.txt"));
  EXPECT_EQ(ended.status, 1) << ended.error;
  EXPECT_NE(ended.error.find("duet: f.txt: cannot write at byte "), std::string::npos) << ended.error;
  EXPECT_EQ(content_of(folder_.path("f.txt")), "before");
  EXPECT_EQ(folder_.entries(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Each, FibonacciStreamInModel, testing::ValuesIn(starts),
                         [](const auto& of) { return of.param.name; });

INSTANTIATE_TEST_SUITE_P(Each, FibonacciStreamInAProcess, testing::Values(starts[0], starts[1], starts[2]),
                         [](const auto& of) { return of.param.name; });

class FibonacciStreamShared : public testing::TestWithParam<std::string> {};

TEST_P(FibonacciStreamShared, TakesLittleMemoryWhileTheReaderIsSlow) {
  // 100,000 lines of 1046 bytes: 105 MB. Half is read, then nothing for a while; what is most taken is known to the
  // system.
  const ScratchFolder folder;
  const Ended ended =
      run_in(folder.path(""), "mkfifo out; yes 5000 | head -n 100000 | $duet fibonacci --inputs - --stream --model " +
                                  GetParam() +
                                  " --oversubscribe >out 2>said & pid=$!; exec 4<out; head -c 52300000 <&4 >/dev/null;"
                                  " sleep 0.3; awk '/VmHWM/ {print $2}' /proc/$pid/status; wc -c <&4; wait $pid");
  ASSERT_EQ(ended.status, 0) << content_of(folder.path("said"));
  const std::size_t line = ended.output.find('\n');
  EXPECT_EQ(ended.output.substr(line + 1), "52300000\n");
  constexpr int most_kibibytes = 70'000;
  EXPECT_LT(std::stoi(ended.output), most_kibibytes);
}

INSTANTIATE_TEST_SUITE_P(Models, FibonacciStreamShared,
                         testing::Values("serial", "openmp --threads 2", "tbb --threads 2"),
                         [](const auto& of) { return of.param.substr(0, of.param.find(' ')); });

TEST(FibonacciStream, RefusesWhatItCannotDo) {
  const ScratchFolder folder;
  const auto refused = [&](const std::string& arguments, const std::string& said) {
    const Ended ended = run_in(folder.path(""), "$duet fibonacci --stream --model serial " + arguments);
    EXPECT_EQ(ended.status, 2) << arguments;
    EXPECT_TRUE(ended.error.starts_with("duet: " + said)) << ended.error;
  };
  refused("100", "--stream goes with --inputs FILE");
  refused("--inputs none.txt", "none.txt: cannot open: No such file or directory");
  refused("--inputs - --set schedule=dynamic </dev/null", "fibonacci --stream in serial has no setting 'schedule'");
  refused("--inputs - --checkpoint c </dev/null", "--checkpoint is for one exact number");
}

TEST(FibonacciStream, ReadsCompressedInputs) {
  const ScratchFolder folder;
  folder.file("n.gz", gzipped("10\n20\n"));
  EXPECT_EQ(run_in(folder.path(""), "$duet fibonacci --stream --model serial --inputs n.gz").output, "55\n6765\n");
}

}  // namespace
}  // namespace duet
