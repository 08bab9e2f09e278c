/// The library's own pool: many callers at once, and in a forked process.
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softtricks/registry.hpp"

namespace softtricks {
namespace {

constexpr std::int64_t nodes = 6, size = 15, batch = 301;

std::vector<double> utilities() {
  std::mt19937_64 random(1);
  std::vector<double> u(batch * size);
  for (double& x : u) x = std::normal_distribution<double>()(random);
  return u;
}

std::vector<double> solved(std::string_view verb, const Executor& executor) {
  static const std::vector<double> u = utilities();
  std::vector<double> out(u.size());
  Call call;
  call.verb = verb;
  call.structure = "spanning_tree";
  call.shape = {nodes};
  call.dtype = Dtype::float64;
  call.batch = batch;
  call.utility = u.data();
  call.seed = 3;
  call.out = out.data();
  call.executor = executor;
  EXPECT_TRUE(run(call).ok());
  return out;
}

TEST(ThreadPool, ManyCallersShareIt) {
  const char* const verbs[] = {"marginals", "argmax", "sample", "marginals"};
  std::vector<std::vector<double>> expected;
  for (const char* verb : verbs) expected.push_back(solved(verb, {}));
  std::vector<std::thread> callers;
  std::vector<int> wrong(4, 0);
  for (std::size_t c = 0; c < wrong.size(); ++c) {
    callers.emplace_back([&, c] {
      for (int round = 0; round < 20; ++round) {
        wrong[c] += solved(verbs[c], thread_pool(3)) != expected[c];
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

// The thread sanitizer gives up where a program with threads forks and goes on.
#if !defined(__SANITIZE_THREAD__)
TEST(ThreadPool, WorksInAForkedChild) {
  const std::vector<double> expected = solved("marginals", thread_pool(3));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(30);  // a pool without workers would wait for ever
    _exit(solved("marginals", thread_pool(3)) == expected ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

}  // namespace
}  // namespace softtricks
