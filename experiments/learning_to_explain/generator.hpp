#pragma once
/// Reviews in the manner of beer reviews, drawn by a program: for those who have no others.
///
/// A review has a length, log-normal with median 117 words and mean 127, at most 413. Five aspects
/// (appearance, aroma, palate, taste, overall) have .178, .145, .106, .280 and .244 of its words,
/// one or two whole sentences each that follow one another; the rest are sentences of no aspect.
/// These are the statistics of the 994 annotated reviews of Lei et al. (2016); they were fixed
/// before any model was trained on the result.
///
/// An aspect's rating is 0.5 + 0.2 z, cut to [0, 1] and rounded to 0.1, with normal z that are
/// correlated between aspects, by one half: beers are good or bad as a whole. A sentence is made of
/// clauses, each good with chance `rating` and bad otherwise:
///   three in ten   a word that only this aspect uses and that is good or bad by itself
///   the others     a phrase, "not very crisp" or "truly crisp", of an adverb and an adjective that
///                  all aspects share, beside a noun of the aspect. Adjectives are good or bad, and
///                  the adverb upholds the adjective seven times in ten and turns it over else:
///                  the adverb alone says nothing and the adjective alone little.
/// Some nouns serve two aspects. Words between are the same everywhere.
///
/// The two numbers of `ReviewLaw` are there to ask what a result rests on, not to choose one by.
#include <cstdint>
#include <vector>

#include "learning_to_explain/corpus.hpp"

namespace learning_to_explain {

constexpr int aspect_count = 5;

struct ReviewLaw {
  std::uint64_t seed = 42;
  double aspect_correlation = 0.5;  // of the aspects' z, in [0, 1]
  double own_words = 0.3;  // part of the clauses with a word of the aspect's own, in [0, 1]
};

/// Review number `index` of a law, rated and annotated for one aspect; the text is the same for
/// all aspects.
Review draw_review(const ReviewLaw& law, std::uint64_t index, int aspect);

/// A corpus of such reviews, the annotated ones being those of the test.
Corpus draw_corpus(const ReviewLaw& law, int aspect, std::int64_t train, std::int64_t validation,
                   std::int64_t test);

}  // namespace learning_to_explain
