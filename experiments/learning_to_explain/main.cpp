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

/// Which tasks are done, in their order; refuses a folder made with other options.
std::vector<bool> done_tasks(const Options& options) {
  std::vector<bool> done;
  for (const Task& task : tasks(options)) done.push_back(finished(options, task));
  return done;
}

/// Summary, table and report of the tasks that are done; returns the program's exit status.
int conclude(const Options& options, const std::vector<std::string>& words,
             const std::vector<std::string>& failures) {
  std::cout << table(write_summary(options, words));
  return experiments::end_run(options.out, !options.no_report, failures);
}

/// `summary [OPTIONS]`: of what is done so far, and trains nothing. No lock: others may go on.
int summary_command(int count, char** arguments) {
  const Options options = parse_options(count, arguments);
  const std::vector<std::string> words(arguments + 1, arguments + count);
  experiments::prepare_folder(options.out, "--out");
  done_tasks(options);
  write_config(options, words);
  return conclude(options, words, {});
}

int run(int count, char** arguments) {
  const Options options = parse_options(count, arguments);
  const std::vector<Task> all = tasks(options);
  experiments::prepare_folder(options.out, "--out");
  experiments::lock_folder(options.out, "--out");
  const std::vector<bool> done = done_tasks(options);
  const auto left = static_cast<std::size_t>(std::ranges::count(done, false));
  const std::vector<std::string> words(arguments + 1, arguments + count);
  write_config(options, words);

  std::vector<std::string> failures;
  if (left > 0) {
    const Corpus corpus = load_corpus(options);
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    const auto plan = experiments::plan_pool(options.jobs, options.threads, false, left, cores);
    std::vector<std::string> names;
    for (const Task& task : all) names.push_back(task.name());
    failures = run_pool(names, done, plan, {.loss = "loss %6.2f", .score = "MSE x100 %6.2f"},
                        [&](std::size_t which, experiments::Progress& progress) {
                          train(options, all[which], corpus, plan.threads, progress);
                        });
  } else {
    std::cerr << "Every row of this run is done already.\n";
  }
  return conclude(options, words, failures);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const std::string_view command = count > 1 ? arguments[1] : "";
    if (command == "reviews") return reviews_command(count - 1, arguments + 1);
    if (command == "tasks") return tasks_command(count - 1, arguments + 1);
    if (command == "summary") return summary_command(count - 1, arguments + 1);
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
  }
  return 2;
}
