#include "learning_to_explain/options.hpp"

#include <algorithm>

#include "common/arguments.hpp"
#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/search.hpp"
#include "learning_to_explain/corpus.hpp"

namespace learning_to_explain {
namespace {

using experiments::one_of;
using experiments::reject;
using experiments::split;
using experiments::UserError;

constexpr const char* description =
    "Trains the poster's models that explain aspect ratings: a selector picks k words of a review, "
    "and\na predictor rates one aspect of it from these words alone. Writes curves, checkpoints,\n"
    "summary.json and report.html into one folder, and continues where it stopped when the same\n"
    "command is given again.";
constexpr const char* examples =
    "Examples:\n"
    "  softtricks-aspect-ratings --preset quick --out runs/aspects\n"
    "  softtricks-aspect-ratings --preset quick --rows gibbs,correlated --seeds 1..10\n"
    "  softtricks-aspect-ratings --preset poster --files FOLDER --aspect appearance\n"
    "  softtricks-aspect-ratings --corpus cebab --files FOLDER --aspect food --k 3,5\n\n"
    "`softtricks-aspect-ratings tasks ...` prints what the options would train, `summary ...` "
    "makes "
    "the\ntable of what is done, `reviews ...` prints the corpus.\n\n"
    "Rows: l2x, softsub; euclidean, categorical, binary, gibbs (the four relaxations of top k);\n"
    "correlated (chain of neighbours); implicit_mle, adaptive_implicit_mle, simple,\n"
    "straight_through, score_function; simple_correlated.\n"
    "PER ROW is one number or range LEAST..MOST for all rows, or ROW=..., for some, e.g.\n"
    "1e-4..1e-2,correlated=1e-3. Out of a range each seed picks its own number, evenly on a\n"
    "logarithmic scale: seeds are the trials of a random search, and summary.json holds the one "
    "of\n"
    "least validation error, with errors by bootstrapping that choice.\n\n"
    "Corpora: generated (drawn by a program), lei (beer reviews in the format of Lei et al. "
    "2016),\n"
    "cebab, imdb. docs/aspect_ratings.md says where files come from and what FOLDER must hold.";

/// Calls visit(name, member, help) for every option: the command line and config.json are loops
/// over this list.
template <class AnyOptions, class Visit>
void visit_options(AnyOptions& o, const Visit& visit) {
  visit("preset", o.preset, "quick, poster (the paper's sizes, on files) or test");
  visit("rows", o.rows, "what to train, separated by commas");
  visit("k", o.k, "numbers of words to select, separated by commas");
  visit("seeds", o.seeds, "seeds of every row and k, separated by commas; FIRST..LAST for a run");
  visit("out", o.out, "folder of the run");
  visit("threads", o.threads, "threads of each model in training; 0: cores / jobs");
  visit("jobs", o.jobs, "models trained side by side; 0: chosen from the number of cores");
  visit("no-report", o.no_report, "leave report.html out");
  visit("corpus", o.corpus, "generated, lei, cebab or imdb");
  visit("files", o.files, "folder that holds the corpus' files");
  visit("aspect", o.aspect, "what to rate; empty: the corpus' first aspect");
  visit("data-seed", o.data_seed, "seed of the generated corpus");
  visit("train-reviews", o.train_reviews, "generated reviews to train on");
  visit("validation-reviews", o.validation_reviews, "generated reviews to choose models by");
  visit("test-reviews", o.test_reviews, "generated reviews the result is measured on");
  visit("aspect-correlation", o.aspect_correlation, "of the ratings of generated reviews");
  visit("own-words", o.own_words,
        "part of the generated clauses in which an aspect has a word of its own");
  visit("longest", o.longest, "words of a review that are read, its first ones");
  visit("least-count", o.least_count, "rarer words of the training reviews are one word, unknown");
  visit("encoder", o.encoder, "simple (a word at a time) or complex (convolutions)");
  visit("embedding", o.embedding, "length of learnt word vectors, where the corpus has none");
  visit("hidden", o.hidden, "width of the encoder");
  visit("predictor-hidden", o.predictor_hidden, "width of the predictor");
  visit("dropout", o.dropout, "of the complex encoder's joined features");
  visit("batch", o.batch, "reviews per update");
  visit("updates", o.updates, "updates");
  visit("lr", o.lr, "PER ROW: learning rate of Adam");
  visit("temperature", o.temperature, "PER ROW: temperature of the relaxation");
  visit("step", o.step,
        "PER ROW: of implicit_mle, how far utilities are moved per unit of slope of a review's "
        "loss");
  visit("perturb-pairs", o.perturb_pairs, "noise on the utilities of neighbours, too");
  visit("samples", o.samples, "selections per review of row score_function");
  visit("evaluate-every", o.evaluate_every, "updates between evaluations");
  visit("evaluation-batch", o.evaluation_batch, "reviews per batch of an evaluation");
  visit("checkpoint-seconds", o.checkpoint_seconds, "longest time between checkpoints");
}

void apply_test(Options& o) {
  o.k = "3";
  o.seeds = "1";
  o.train_reviews = 120;
  o.validation_reviews = o.test_reviews = 40;
  o.embedding = 8;
  o.hidden = o.predictor_hidden = 8;
  o.batch = 10;
  o.updates = 30;
  o.evaluate_every = 10;
  o.checkpoint_seconds = 0.05;
}

/// Sizes as in the code that followed the paper; the paper's own search ranges were not published.
void apply_poster(Options& o) {
  o.corpus = "lei";
  o.seeds = "1..25";
  o.batch = 100;
  o.updates = 14000;  // 20 passes over 70,000 reviews
  o.lr = "0.0001..0.01";
  o.temperature = "0.05..10";
  o.step = "1..1000";
  o.evaluate_every = 700;
}

Options preset(const std::string& name) {
  Options options;
  options.preset = name;
  if (name == "test") {
    apply_test(options);
  } else if (name == "poster") {
    apply_poster(options);
  } else if (name != "quick") {
    throw UserError("--preset: '" + name + "' is none of quick, poster, test");
  }
  return options;
}

void validate(const Options& o) {
  one_of("aspect", o.aspect, aspects_of(o.corpus));
  one_of("encoder", o.encoder, {"simple", "complex"});
  for (const std::string& row : split(o.rows)) one_of("rows", row, row_names());
  if (split(o.rows).empty()) reject("rows", o.rows, "at least one row");
  if (o.corpus != "generated" && o.files.empty()) {
    reject("files", "", "the folder of the corpus' files; see --help");
  }
  const auto d = [](auto value) { return static_cast<double>(value); };
  experiments::require_least({{"threads", d(o.threads), 0},
                              {"jobs", d(o.jobs), 0},
                              {"data-seed", d(o.data_seed), 0},
                              {"train-reviews", d(o.train_reviews), 1},
                              {"validation-reviews", d(o.validation_reviews), 1},
                              {"test-reviews", d(o.test_reviews), 1},
                              {"longest", d(o.longest), 1},
                              {"least-count", d(o.least_count), 1},
                              {"embedding", d(o.embedding), 1},
                              {"hidden", d(o.hidden), 1},
                              {"predictor-hidden", d(o.predictor_hidden), 1},
                              {"dropout", o.dropout, 0},
                              {"batch", d(o.batch), 1},
                              {"updates", d(o.updates), 1},
                              {"samples", d(o.samples), 2},
                              {"evaluate-every", d(o.evaluate_every), 1},
                              {"evaluation-batch", d(o.evaluation_batch), 1},
                              {"checkpoint-seconds", o.checkpoint_seconds, 0}});
  if (!(o.dropout < 1)) reject("dropout", std::to_string(o.dropout), "a number in [0, 1)");
  for (const auto& [name, part] :
       {std::pair{"aspect-correlation", o.aspect_correlation}, {"own-words", o.own_words}}) {
    if (!(part >= 0 && part <= 1)) reject(name, std::to_string(part), "a number in [0, 1]");
  }
}

Task make_task(const Options& o, const std::string& row, std::int64_t k, std::int64_t seed) {
  const auto from = ranges(o, row);
  experiments::Search search(seed, static_cast<std::uint32_t>(Purpose::search));
  Task task{.row = row, .k = k, .seed = seed};
  task.lr = search.draw(from.at("lr"));
  task.temperature = search.draw(from.at("temperature"));
  task.step = search.draw(from.at("step"));
  return task;
}

}  // namespace

const std::vector<std::string>& row_names() {
  static const std::vector<std::string> names = split(Options().rows);
  return names;
}

Options parse_options(int count, char** arguments) {
  Options options = preset(experiments::find_option(count, arguments, "preset", "quick"));
  experiments::read_command_line(count, arguments,
                                 {"softtricks-aspect-ratings", description, examples},
                                 [&](const auto& function) { visit_options(options, function); });
  one_of("corpus", options.corpus, corpus_names());
  if (options.aspect.empty()) options.aspect = aspects_of(options.corpus)[0];
  validate(options);
  tasks(options);  // refuses wrong k, seeds and numbers per row
  return options;
}

nlohmann::json to_json(const Options& options) {
  return experiments::json_of([&](const auto& function) { visit_options(options, function); });
}

std::vector<Task> tasks(const Options& options) {
  std::vector<Task> all;
  for (const std::string& row : split(options.rows)) {
    for (const std::int64_t k : experiments::whole_numbers(options.k, "k", 1)) {
      for (const std::int64_t seed : experiments::whole_numbers(options.seeds, "seeds", 0)) {
        all.push_back(make_task(options, row, k, seed));
      }
    }
  }
  return all;
}

std::map<std::string, experiments::Range> ranges(const Options& o, const std::string& row) {
  const auto range = [&](const std::string& text, const std::string& option, double fallback) {
    const auto found = experiments::range_for(text, row, row_names(), option, fallback);
    if (!(found.least > 0)) reject(option, text, "numbers above 0");
    return found;
  };
  return {{"lr", range(o.lr, "lr", 1e-3)},
          {"temperature", range(o.temperature, "temperature", 0.5)},
          {"step", range(o.step, "step", 10)}};
}

nlohmann::json settings(const Options& options) {
  nlohmann::json json = to_json(options);
  for (const char* free : {"preset", "rows", "k", "seeds", "out", "threads", "jobs", "no-report",
                           "checkpoint-seconds"}) {
    json.erase(free);
  }
  if (options.corpus != "generated") {
    for (const char* of_generated : {"data-seed", "train-reviews", "validation-reviews",
                                     "test-reviews", "aspect-correlation", "own-words"}) {
      json.erase(of_generated);
    }
  }
  return json;
}

nlohmann::json identity(const Options& options, const Task& task) {
  nlohmann::json json = settings(options);
  // Words for other rows don't matter to this one.
  for (const auto& [name, value] : task.numbers()) json[name] = value;
  json["row"] = task.row;
  json["k"] = task.k;
  json["seed"] = task.seed;
  return json;
}

}  // namespace learning_to_explain
