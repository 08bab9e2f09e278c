#include "learning_to_explain/batches.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace learning_to_explain {

Vocabulary::Vocabulary(const Corpus& corpus) : size(corpus.ids) {
  if (corpus.vectors.empty()) return;
  const auto length = static_cast<std::int64_t>(corpus.vectors.begin()->second.size());
  vectors = at::zeros({size, length}, at::kFloat);
  float* row = vectors.mutable_data_ptr<float>() + first_word * length;
  for (const auto& [word, vector] : corpus.vectors) {  // in the order of their ids
    row = std::ranges::copy(vector, row).out;
  }
}

Batch make_batch(const std::vector<Review>& reviews, const std::vector<std::size_t>& which) {
  const auto count = static_cast<std::int64_t>(which.size());
  std::size_t longest = 0;
  for (const std::size_t i : which) longest = std::max(longest, reviews[i].words.size());
  const auto width = static_cast<std::int64_t>(longest);
  Batch batch{at::Tensor(), at::zeros({count, width}, at::kLong), at::empty({count}, at::kLong),
              at::empty({count}, at::kFloat), at::zeros({count, width}, at::kFloat)};
  auto* places = batch.places.mutable_data_ptr<std::int64_t>();
  std::vector<std::int64_t> words{0};
  std::unordered_map<std::int64_t, std::int64_t> place_of{{0, 0}};
  auto* truth = batch.truth.mutable_data_ptr<float>();
  for (std::size_t row = 0; row < which.size(); ++row) {
    const Review& review = reviews[which[row]];
    std::ranges::transform(review.ids, places + row * longest, [&](std::int64_t id) {
      const auto [found, added] = place_of.try_emplace(id, static_cast<std::int64_t>(words.size()));
      if (added) words.push_back(id);
      return found->second;
    });
    std::ranges::copy(review.truth, truth + row * longest);
    batch.lengths.mutable_data_ptr<std::int64_t>()[row] =
        static_cast<std::int64_t>(review.words.size());
    batch.ratings.mutable_data_ptr<float>()[row] = static_cast<float>(review.rating);
  }
  batch.words = at::tensor(words, at::kLong);
  return batch;
}

std::vector<std::size_t> run_of(std::size_t first, std::size_t count, std::size_t total) {
  std::vector<std::size_t> which(std::min(count, total - std::min(first, total)));
  std::iota(which.begin(), which.end(), first);
  return which;
}

}  // namespace learning_to_explain
