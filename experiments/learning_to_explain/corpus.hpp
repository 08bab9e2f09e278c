#pragma once
/// Reviews with a rating to predict, and the words that are known to speak of it. No LibTorch here.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/files.hpp"
#include "learning_to_explain/options.hpp"

namespace learning_to_explain {

using experiments::Path;

/// 0 stands for no word, behind a review's end; from `first_word` on known words are in
/// alphabetical order. Known are, in a corpus that has vectors, the words of those; else its
/// training words that occur --least-count times or more.
constexpr std::int64_t unknown_word = 1, first_word = 2;

struct Review {
  std::vector<std::string> words;
  double rating = 0;                // in [0, 1]
  std::vector<std::uint8_t> truth;  // for each word: does it speak of the aspect? Empty: not known.
  std::vector<std::int64_t> ids{};  // of each word; set by `load_corpus`
};

struct Corpus {
  std::vector<Review> train, validation, test;
  std::vector<Review> annotated;  // reviews with a truth, for subset precision
  /// Fixed word vectors, all of one length; none: they are learnt.
  std::map<std::string, std::vector<float>> vectors;
  std::int64_t ids = 0;  // number of ids
};

/// The corpus that the options name. Throws UserError where files are missing or not as documented.
Corpus load_corpus(const Options& options);

/// The corpus' aspects; the first is the default.
const std::vector<std::string>& aspects_of(const std::string& corpus);
const std::vector<std::string>& corpus_names();

/// Words in lower case, punctuation apart: what the loaders of raw text do.
std::vector<std::string> words_of(const std::string& text);

/// Which words of `before` are not in a longest common subsequence with `after`.
std::vector<std::uint8_t> changed_words(const std::vector<std::string>& before,
                                        const std::vector<std::string>& after);

}  // namespace learning_to_explain
