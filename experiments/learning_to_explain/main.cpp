/// softtricks-aspect-ratings: trains and tests the poster's models that explain aspect ratings.
#include <algorithm>
#include <iostream>
#include <thread>

#include "common/error.hpp"
#include "common/files.hpp"
#include "common/pool.hpp"
#include "common/run.hpp"
#include "learning_to_explain/results.hpp"
#include "learning_to_explain/train.hpp"

namespace {

using namespace learning_to_explain;

/// `reviews [OPTIONS]`: the corpus as it is read, one JSON object a line, for readers and checks.
int reviews_command(int count, char** arguments) {
  const Options options = parse_options(count, arguments);
  const Corpus corpus = load_corpus(options);
  for (const auto& [name, part] : {std::pair{"train", &corpus.train},
                                   {"validation", &corpus.validation},
                                   {"test", &corpus.test},
                                   {"annotated", &corpus.annotated}}) {
    for (const Review& review : *part) {
      std::cout << nlohmann::json({{"part", name},
                                   {"words", review.words},
                                   {"rating", review.rating},
                                   {"truth", review.truth}})
                       .dump()
                << '\n';
    }
  }
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
  const std::vector<std::string> words(arguments + 1, arguments + count);
  write_config(options, words);

  std::vector<std::string> failures;
  if (training && left > 0) {
    const Corpus corpus = load_corpus(options);
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    const auto plan = experiments::plan_pool(options.jobs, options.threads, false, left, cores);
    std::vector<std::string> names;
    for (const Task& task : all) names.push_back(task.name());
    failures = run_pool(names, done, plan, {.loss = "loss %6.2f", .score = "MSE x100 %6.2f"},
                        [&](std::size_t which, experiments::Progress& progress) {
                          train(options, all[which], corpus, plan.threads, progress);
                        });
  } else if (training) {
    std::cerr << "Every row of this run is done already.\n";
  }
  std::cout << table(write_summary(options, words));
  return experiments::end_run(options.out, !options.no_report, failures);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const std::string_view command = count > 1 ? arguments[1] : "";
    if (command == "reviews") return reviews_command(count - 1, arguments + 1);
    if (command == "tasks") return tasks_command(count - 1, arguments + 1);
    if (command == "summary") return run(count - 1, arguments + 1, false);
    return run(count, arguments, true);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
  }
  return 2;
}
