#include "learning_to_explain/corpus.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "learning_to_explain/aspect_files.hpp"
#include "learning_to_explain/generator.hpp"

namespace learning_to_explain {
namespace {

/// Reviews longer than what is read lose their end.
void cut(std::vector<Review>& reviews, std::int64_t longest) {
  const auto limit = static_cast<std::size_t>(longest);
  for (Review& review : reviews) {
    review.words.resize(std::min(limit, review.words.size()));
    if (!review.truth.empty()) review.truth.resize(review.words.size());
  }
  std::erase_if(reviews, [](const Review& review) { return review.words.empty(); });
}

Corpus load(const Options& o) {
  const auto& aspects = aspects_of(o.corpus);
  const auto aspect = static_cast<int>(std::ranges::find(aspects, o.aspect) - aspects.begin());
  if (o.corpus == "lei") return load_lei(o.files, aspect);
  if (o.corpus == "cebab") return load_cebab(o.files, o.aspect);
  if (o.corpus == "imdb") return load_imdb_pairs(o.files);
  return draw_corpus(static_cast<std::uint64_t>(o.data_seed), aspect, o.train_reviews,
                     o.validation_reviews, o.test_reviews);
}

}  // namespace

const std::vector<std::string>& corpus_names() {
  static const std::vector<std::string> names{"generated", "lei", "cebab", "imdb"};
  return names;
}

const std::vector<std::string>& aspects_of(const std::string& corpus) {
  static const std::map<std::string, std::vector<std::string>> all{
      {"generated", {"appearance", "aroma", "palate", "taste", "overall"}},
      {"lei", {"appearance", "aroma", "palate", "taste"}},
      {"cebab", {"food", "service", "ambiance", "noise"}},
      {"imdb", {"sentiment"}}};
  return all.at(corpus);
}

Corpus load_corpus(const Options& options) {
  Corpus corpus = load(options);
  for (auto* part : {&corpus.train, &corpus.validation, &corpus.test, &corpus.annotated}) {
    cut(*part, options.longest);
  }
  for (const auto* part : {&corpus.train, &corpus.validation, &corpus.test}) {
    if (part->empty()) {
      throw experiments::UserError("--files: '" + options.files +
                                   "' has no reviews to train on, to validate or to test");
    }
  }
  return corpus;
}

}  // namespace learning_to_explain
