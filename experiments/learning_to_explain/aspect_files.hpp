#pragma once
/// Loaders of published reviews, from folders with the unpacked files.
#include "learning_to_explain/corpus.hpp"

namespace learning_to_explain {

/// The format of Lei et al. (2016), aspect N in 0 .. 3:
///   reviews.aspectN.train.txt, reviews.aspectN.heldout.txt   "rating ... rating TAB word ... word"
///   annotations.json   one object a line: "x" words, "y" ratings, "N" list of [begin, end) ranges
///   review+wiki.filtered.200.txt   word, then its vector; may be missing: then vectors are learnt
/// The held-out reviews' first half validates, the second tests.
Corpus load_lei(const Path& folder, int aspect);

/// CEBaB (Abraham et al. 2022): train_inclusive.json, dev.json, test.json. The rating of a text is
/// the mean of its workers' labels, negative 0, unknown 0.5, positive 1. Words that tell of an
/// aspect are those that an edit which should silence it took away or replaced, where most workers
/// found it silent; of several edits the one that changes least, and none that changes over 60 %.
Corpus load_cebab(const Path& folder, const std::string& aspect);

/// Pairs of a film review and its edit of opposite sentiment (Kaushik et al. 2020):
/// train_paired.tsv, dev_paired.tsv, test_paired.tsv. Rating 0 or 1; the words that tell are those
/// that differ between the two.
Corpus load_imdb_pairs(const Path& folder);

}  // namespace learning_to_explain
