/// softtricks-graph-layout: trains and tests the poster's graph-layout models.
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <thread>

#include <dlfcn.h>
#include <malloc.h>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/pool.hpp"
#include "common/run.hpp"
#include "graph_layout/data_file.hpp"
#include "graph_layout/layout.hpp"
#include "graph_layout/results.hpp"
#include "graph_layout/train.hpp"

namespace {

using namespace graph_layout;
using experiments::UserError;

/// Arrays of a few megabytes come and go at every update; kept in the process they need not be
/// mapped, and cleared by the kernel, each time.
void keep_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 2147483647);
}

/// LibTorch's CUDA half is not linked, so that one program serves machines with and without it.
void open_cuda() {
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    throw UserError(std::string("--device: 'cuda' needs LibTorch's CUDA half: ") + ::dlerror() +
                    "; give cpu, or install the full torch wheel");
  }
}

/// `layout-step`: one step of the spring layout, for checks from outside. Reads
/// {"positions": [[x, y], ...], "edges": [[i, j], ...]} and writes {"positions": ...}.
int layout_step_command() {
  nlohmann::json input;
  std::cin >> input;
  const auto points = input.at("positions").get<std::vector<std::array<double, 2>>>();
  const std::size_t nodes = points.size();
  std::vector<double> positions;
  for (const auto& point : points) positions.insert(positions.end(), point.begin(), point.end());
  std::vector<std::uint8_t> adjacency(nodes * nodes, 0);
  for (const auto& [i, j] : input.at("edges").get<std::vector<std::array<std::size_t, 2>>>()) {
    adjacency.at(i * nodes + j) = adjacency.at(j * nodes + i) = 1;
  }
  layout_step(positions, adjacency);
  nlohmann::json output = {{"positions", nlohmann::json::array()}};
  for (std::size_t v = 0; v < nodes; ++v) {
    output["positions"].push_back({positions[2 * v], positions[2 * v + 1]});
  }
  std::cout << output.dump() << '\n';
  return 0;
}

/// `tasks [OPTIONS]`: what the same options would train.
int tasks_command(int count, char** arguments) {
  std::cout << task_list(parse_options(count, arguments)).dump() << '\n';
  return 0;
}

/// `[OPTIONS]` trains what is not done yet; `summary [OPTIONS]` only puts together what is, and may
/// while a training goes on.
int run(int count, char** arguments, bool training) {
  const Options options = parse_options(count, arguments);
  const std::vector<Task> all = tasks(options);
  experiments::prepare_folder(options.out, "--out");
  if (training) experiments::lock_folder(options.out, "--out");
  std::vector<bool> done;
  for (const Task& task : all) done.push_back(finished(options, task));
  const auto left = static_cast<std::size_t>(std::ranges::count(done, false));
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const std::vector<std::string> words(arguments + 1, arguments + count);
  write_config(options, words);

  std::vector<std::string> failures;
  if (training && left > 0) {
    prepare_data(options, static_cast<int>(cores));
    const auto plan =
        experiments::plan_pool(options.jobs, options.threads, options.device != "cpu", left, cores);
    std::vector<std::string> names;
    for (const Task& task : all) names.push_back(task.name());
    failures = run_pool(names, done, plan, {.score = "ELBO %8.1f"},
                        [&](std::size_t which, experiments::Progress& progress) {
                          if (options.device == "cuda") open_cuda();
                          train(options, all[which], plan.threads, progress);
                        });
  } else if (training) {
    std::cerr << "Every row of this run is done already.\n";
  }
  write_summary(options, words);
  return experiments::end_run(options.out, !options.no_report, failures);
}

}  // namespace

int main(int count, char** arguments) {
  keep_memory();
  try {
    const std::string_view command = count > 1 ? arguments[1] : "";
    if (command == "layout-step") return layout_step_command();
    if (command == "tasks") return tasks_command(count - 1, arguments + 1);
    if (command == "summary") return run(count - 1, arguments + 1, false);
    return run(count, arguments, true);
  } catch (const UserError& error) {
    std::cerr << "error: " << error.what() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
  }
  return 2;
}
