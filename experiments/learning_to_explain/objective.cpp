#include "learning_to_explain/objective.hpp"

#include <algorithm>
#include <cmath>

#include "common/seeds.hpp"

namespace learning_to_explain {
namespace {

/// Calls visit(batch) for all reviews, some at a time.
template <class Visit>
void each_batch(const std::vector<Review>& reviews, std::int64_t size, const Visit& visit) {
  const auto step = static_cast<std::size_t>(size);
  for (std::size_t first = 0; first < reviews.size(); first += step) {
    visit(make_batch(reviews, run_of(first, step, reviews.size())));
  }
}

struct Hits {
  double true_ones = 0, selected = 0;
  void add(const at::Tensor& selection, const at::Tensor& truth) {
    true_ones += (selection * truth).sum().item<double>();
    selected += selection.sum().item<double>();
  }
  double precision() const { return selected > 0 ? true_ones / selected : NAN; }
};

double total_error(const at::Tensor& predicted, const Batch& batch) {
  return (predicted - batch.ratings).square().sum().item<double>();
}

}  // namespace

std::int64_t seed_for(const Task& task, Purpose purpose, std::int64_t counter) {
  return experiments::seed_for(task.seed, static_cast<std::uint32_t>(purpose), counter);
}

at::Tensor Objective::theta(const Model& model, const Batch& batch, const at::Tensor& vectors,
                            std::optional<std::int64_t> dropout_seed) const {
  return selector.locations(model.scores(vectors, batch.places, batch.lengths, dropout_seed));
}

/// Mean over draws of the loss, and of (loss - mean of the others) log p. [Kool et al. 2019]
at::Tensor Objective::score_function(const Model& model, const Batch& batch,
                                     const at::Tensor& vectors, const at::Tensor& where,
                                     std::int64_t seed) const {
  const std::int64_t draws = options.samples;
  const at::Tensor laws = where.detach().unsqueeze(0).expand({draws, -1, -1});
  const at::Tensor lengths = batch.lengths.unsqueeze(0).expand({draws, -1});
  const at::Tensor selections = selector.sample(laws, lengths, seed);
  const at::Tensor predicted = model.predict(vectors, batch.places, selections, task.k);
  const at::Tensor loss = (predicted - batch.ratings).square();
  const at::Tensor score = selector.log_prob(where, lengths, selections);
  const auto count = static_cast<double>(draws);
  const at::Tensor advantage = (loss - loss.mean(0, true)).detach() * (count / (count - 1));
  const at::Tensor surrogate = (advantage * score).mean();
  return loss.mean() + surrogate - surrogate.detach();
}

at::Tensor Objective::operator()(const Model& model, const Batch& batch, std::int64_t update,
                                 AdaptiveStep& step) const {
  const at::Tensor vectors = model.embed(batch.words);
  const at::Tensor where = theta(model, batch, vectors, seed_for(task, Purpose::dropout, update));
  const std::int64_t seed = seed_for(task, Purpose::training, update);
  if (task.row == "score_function") return score_function(model, batch, vectors, where, seed);
  const at::Tensor selection = selector.train(where, batch.lengths, seed, step);
  return (model.predict(vectors, batch.places, selection, task.k) - batch.ratings).square().mean();
}

Evaluation evaluate(const Model& model, const Objective& objective,
                    const std::vector<Review>& rated, const std::vector<Review>& annotated,
                    std::int64_t seed) {
  const at::NoGradGuard no_grad;
  const Selector& selector = objective.selector;
  Evaluation sums;
  std::int64_t calls = 0;
  const auto next_seed = [&] { return experiments::seed_for(seed, 0, calls++); };
  each_batch(rated, objective.options.evaluation_batch, [&](const Batch& batch) {
    const at::Tensor vectors = model.embed(batch.words);
    const at::Tensor theta = objective.theta(model, batch, vectors, {});
    const auto error = [&](const at::Tensor& selection) {
      return total_error(model.predict(vectors, batch.places, selection, objective.task.k), batch);
    };
    sums.mse += error(selector.map(theta, batch.lengths));
    sums.sampled_mse += error(selector.sample(theta, batch.lengths, next_seed()));
  });
  Hits best, drawn;
  each_batch(annotated, objective.options.evaluation_batch, [&](const Batch& batch) {
    const at::Tensor theta = objective.theta(model, batch, model.embed(batch.words), {});
    best.add(selector.map(theta, batch.lengths), batch.truth);
    drawn.add(selector.sample(theta, batch.lengths, next_seed()), batch.truth);
  });
  const auto count = static_cast<double>(rated.size());
  return {sums.mse / count, sums.sampled_mse / count, best.precision(), drawn.precision()};
}

double constant_mse(const std::vector<Review>& train, const std::vector<Review>& test) {
  double mean = 0, sum = 0;
  for (const Review& review : train) mean += review.rating / static_cast<double>(train.size());
  for (const Review& review : test) sum += (review.rating - mean) * (review.rating - mean);
  return sum / static_cast<double>(test.size());
}

double chance_precision(const std::vector<Review>& annotated) {
  double true_ones = 0, words = 0;
  for (const Review& review : annotated) {
    true_ones += static_cast<double>(std::ranges::count(review.truth, 1));
    words += static_cast<double>(review.words.size());
  }
  return words > 0 ? true_ones / words : NAN;
}

nlohmann::json picture(const Model& model, const Objective& objective,
                       const std::vector<Review>& reviews, std::int64_t count, std::int64_t draws) {
  const at::NoGradGuard no_grad;
  nlohmann::json samples = nlohmann::json::array();
  for (std::size_t i = 0; i < std::min(reviews.size(), static_cast<std::size_t>(count)); ++i) {
    const Review& review = reviews[i];
    const Batch batch = make_batch(reviews, {i});
    const at::Tensor vectors = model.embed(batch.words);
    const at::Tensor theta = objective.theta(model, batch, vectors, {});
    const at::Tensor best = objective.selector.map(theta, batch.lengths);
    const std::int64_t seed =
        seed_for(objective.task, Purpose::picture, static_cast<std::int64_t>(i));
    const at::Tensor often = objective.selector
                                 .sample(theta.unsqueeze(0).expand({draws, -1, -1}).contiguous(),
                                         batch.lengths.unsqueeze(0).expand({draws, -1}), seed)
                                 .mean(0);
    const auto numbers = [](const at::Tensor& tensor) {
      const at::Tensor dense = tensor.flatten().contiguous();
      return std::vector<float>(dense.const_data_ptr<float>(),
                                dense.const_data_ptr<float>() + dense.numel());
    };
    samples.push_back(
        {{"words", review.words},
         {"truth", numbers(batch.truth)},
         {"rating", review.rating},
         {"predicted", model.predict(vectors, batch.places, best, objective.task.k).item<double>()},
         {"selected", numbers(best)},
         {"often", numbers(often)}});
  }
  return samples;
}

}  // namespace learning_to_explain
