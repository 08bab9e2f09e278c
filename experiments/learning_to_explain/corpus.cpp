#include "learning_to_explain/corpus.hpp"

#include <algorithm>
#include <unordered_map>

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

/// Sets ids.
void number_words(Corpus& corpus, std::int64_t least_count) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [word, vector] : corpus.vectors) counts[word] = least_count;
  if (counts.empty()) {
    for (const Review& review : corpus.train) {
      for (const std::string& word : review.words) ++counts[word];
    }
  }
  std::unordered_map<std::string, std::int64_t> known;
  corpus.ids = first_word;
  for (const auto& [word, count] : counts) {
    if (count >= least_count) known.emplace(word, corpus.ids++);
  }
  for (auto* part : {&corpus.train, &corpus.validation, &corpus.test, &corpus.annotated}) {
    for (Review& review : *part) {
      for (const std::string& word : review.words) {
        const auto found = known.find(word);
        review.ids.push_back(found == known.end() ? unknown_word : found->second);
      }
    }
  }
}

Corpus load(const Options& o) {
  const auto& aspects = aspects_of(o.corpus);
  const auto aspect = static_cast<int>(std::ranges::find(aspects, o.aspect) - aspects.begin());
  if (o.corpus == "lei") return load_lei(o.files, aspect);
  if (o.corpus == "cebab") return load_cebab(o.files, o.aspect);
  if (o.corpus == "imdb") return load_imdb_pairs(o.files);
  return draw_corpus({static_cast<std::uint64_t>(o.data_seed), o.aspect_correlation, o.own_words},
                     aspect, o.train_reviews, o.validation_reviews, o.test_reviews);
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
  number_words(corpus, options.least_count);
  return corpus;
}

}  // namespace learning_to_explain
