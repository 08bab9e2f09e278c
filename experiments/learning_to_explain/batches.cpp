#include "learning_to_explain/batches.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace learning_to_explain {

Vocabulary::Vocabulary(const Corpus& corpus, std::int64_t least_count) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [word, vector] : corpus.vectors) counts[word] = least_count;
  if (counts.empty()) {
    for (const Review& review : corpus.train) {
      for (const std::string& word : review.words) ++counts[word];
    }
  }
  for (const auto& [word, count] : counts) {
    if (count >= least_count) ids_.emplace(word, size());
  }
  if (corpus.vectors.empty()) return;
  const auto length = static_cast<std::int64_t>(corpus.vectors.begin()->second.size());
  vectors_ = at::zeros({size(), length}, at::kFloat);
  for (const auto& [word, vector] : corpus.vectors) {
    std::memcpy(vectors_.mutable_data_ptr<float>() + id(word) * length, vector.data(),
                vector.size() * sizeof(float));
  }
}

std::int64_t Vocabulary::id(const std::string& word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? unknown : found->second;
}

Batch make_batch(const std::vector<Review>& reviews, const std::vector<std::size_t>& which,
                 const Vocabulary& vocabulary) {
  const auto count = static_cast<std::int64_t>(which.size());
  std::size_t longest = 0;
  for (const std::size_t i : which) longest = std::max(longest, reviews[i].words.size());
  const auto width = static_cast<std::int64_t>(longest);
  Batch batch{at::zeros({count, width}, at::kLong), at::empty({count}, at::kLong),
              at::empty({count}, at::kFloat), at::zeros({count, width}, at::kFloat)};
  auto* words = batch.words.mutable_data_ptr<std::int64_t>();
  auto* truth = batch.truth.mutable_data_ptr<float>();
  for (std::size_t row = 0; row < which.size(); ++row) {
    const Review& review = reviews[which[row]];
    for (std::size_t i = 0; i < review.words.size(); ++i) {
      words[row * longest + i] = vocabulary.id(review.words[i]);
      if (!review.truth.empty()) truth[row * longest + i] = review.truth[i];
    }
    batch.lengths.mutable_data_ptr<std::int64_t>()[row] =
        static_cast<std::int64_t>(review.words.size());
    batch.ratings.mutable_data_ptr<float>()[row] = static_cast<float>(review.rating);
  }
  return batch;
}

std::vector<std::size_t> run_of(std::size_t first, std::size_t count, std::size_t total) {
  std::vector<std::size_t> which(std::min(count, total - std::min(first, total)));
  std::iota(which.begin(), which.end(), first);
  return which;
}

}  // namespace learning_to_explain
