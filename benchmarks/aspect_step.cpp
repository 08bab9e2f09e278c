/// What a structured layer costs in a training step of learning_to_explain: milliseconds of a whole
/// step and of the selection alone, forward and backward, for every row of the table; one thread,
/// all in turns, the least of many rounds. Run build/release/softtricks-aspect-step [ROUNDS].
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "cli/bench.hpp"
#include "learning_to_explain/checkpoint.hpp"

using namespace learning_to_explain;

namespace {

constexpr std::int64_t reviews = 100, tokens = 350, words = 10, vocabulary_size = 10000;

struct Setting {
  const char *title, *encoder;
  std::int64_t vector_length;
  bool learnt;
};

/// Reviews of random words, some far oftener than others, as in texts: by 1 / (rank + 2.7), the law
/// of Mandelbrot. Their meaning does not matter to the clock.
Batch random_batch() {
  std::mt19937_64 random(1);
  std::vector<double> weights;
  for (std::int64_t rank = 1; rank <= vocabulary_size - first_word; ++rank) {
    weights.push_back(1 / (static_cast<double>(rank) + 2.7));
  }
  std::discrete_distribution<std::int64_t> word(weights.begin(), weights.end());
  std::vector<Review> all(static_cast<std::size_t>(reviews));
  for (Review& review : all) {
    review.words.resize(static_cast<std::size_t>(tokens));
    review.truth.assign(review.words.size(), 0);
    review.rating = 0.5;
    for (std::int64_t i = 0; i < tokens; ++i) review.ids.push_back(first_word + word(random));
  }
  return make_batch(all, run_of(0, all.size(), all.size()));
}

Vocabulary vocabulary_of(const Setting& setting) {
  Corpus corpus;
  corpus.ids = vocabulary_size;
  Vocabulary vocabulary(corpus);
  if (!setting.learnt) vocabulary.vectors = at::randn({vocabulary_size, setting.vector_length});
  return vocabulary;
}

/// One row of the table in training: a whole step, and the selection alone.
class Row {
 public:
  Row(const Setting& setting, const std::string& name, const Batch& batch)
      : options_(options_of(setting)),
        task_{.row = name, .k = words, .lr = 1e-3, .temperature = 0.5, .step = 10},
        objective_(options_, task_),
        batch_(batch),
        training_(fresh_training(objective_, vocabulary_of(setting))) {
    const at::NoGradGuard no_grad;
    theta_ = objective_.theta(*training_.model, batch_, training_.model->embed(batch_.words), {});
    theta_ = theta_.detach().requires_grad_();
    slope_ = at::randn({reviews, tokens});
  }

  void step() {
    const Parameters& parameters = training_.model->parameters();
    at::Tensor(parameters.gradients()).zero_();
    const at::Tensor loss = objective_(*training_.model, batch_, training_.update, training_.step);
    torch::autograd::backward({loss}, {});
    training_.adam.update(parameters, {}, task_.lr, ++training_.update);
  }

  /// The score function's: its draws and their log-probability; the others': the relaxed or hard
  /// selection and the gradient of the utilities.
  void layer() {
    const Selector& selector = objective_.selector;
    if (task_.row != "score_function") {
      const at::Tensor selection = selector.train(theta_, batch_.lengths, 1, training_.step);
      torch::autograd::grad({selection}, {theta_}, {slope_});
      return;
    }
    const std::int64_t draws = options_.samples;
    const at::Tensor lengths = batch_.lengths.unsqueeze(0).expand({draws, -1});
    const at::Tensor laws = theta_.detach().unsqueeze(0).expand({draws, -1, -1});
    const at::Tensor drawn = selector.sample(laws, lengths, 1);
    torch::autograd::grad({selector.log_prob(theta_, lengths, drawn).sum()}, {theta_});
  }

 private:
  static Options options_of(const Setting& setting) {
    Options options;
    options.encoder = setting.encoder;
    options.embedding = setting.vector_length;
    return options;
  }

  Options options_;
  Task task_;
  Objective objective_;
  const Batch& batch_;
  Training training_;
  at::Tensor theta_, slope_;
};

void table(const Setting& setting, int rounds) {
  const Batch batch = random_batch();
  std::vector<Row> rows;
  rows.reserve(row_names().size());
  for (const std::string& name : row_names()) rows.emplace_back(setting, name, batch);
  std::vector<std::function<void()>> works;
  for (Row& row : rows) {
    works.emplace_back([&row] { row.step(); });
    works.emplace_back([&row] { row.layer(); });
  }
  const std::vector<double> seconds = softtricks::cli::fastest_seconds(works, rounds);
  double gibbs = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (row_names()[i] == "gibbs") gibbs = seconds[2 * i];
  }
  std::printf(
      "\n%s\n\n| row | step ms | of E.F. | layer ms | of its step |\n|---|--:|--:|--:|--:|\n",
      setting.title);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double step = seconds[2 * i], layer = seconds[2 * i + 1];
    std::printf("| %s | %.1f | %.2f | %.2f | %.1f %% |\n", row_names()[i].c_str(), 1e3 * step,
                step / gibbs, 1e3 * layer, 100 * layer / step);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 20;
  if (count > 2 || rounds < 1) {
    std::cerr << "usage: softtricks-aspect-step [ROUNDS], a whole number above 0\n";
    return 2;
  }
  at::set_num_threads(1);
  std::printf("%d reviews of %d words, k = %d, float32, one thread; the least of %d rounds\n",
              static_cast<int>(reviews), static_cast<int>(tokens), static_cast<int>(words), rounds);
  for (const Setting& setting :
       {Setting{"Simple encoder, learnt word vectors of length 50", "simple", 50, true},
        Setting{"Simple encoder, fixed word vectors of length 200", "simple", 200, false},
        Setting{"Complex encoder, fixed word vectors of length 200", "complex", 200, false}}) {
    table(setting, rounds);
  }
}
