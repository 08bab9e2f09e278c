#include "learning_to_explain/model.hpp"

#include <gtest/gtest.h>

#include "learning_to_explain/batches.hpp"

namespace learning_to_explain {
namespace {

ModelShape shape_of(bool complex) {
  return {.complex = complex,
          .words = 20,
          .embedding = 6,
          .hidden = 5,
          .predictor = 4,
          .scores = 2,
          .dropout = 0.2};
}

using Ids = std::vector<std::int64_t>;

Batch batch_of(const std::vector<Ids>& reviews) {
  std::vector<Review> all;
  for (const Ids& ids : reviews) {
    all.push_back({.words = std::vector<std::string>(ids.size()), .truth = {}, .ids = ids});
  }
  return make_batch(all, run_of(0, all.size(), all.size()));
}

at::Tensor scores_of(const Model& model, const Batch& batch) {
  return model.scores(model.embed(batch.words), batch.places, batch.lengths, {});
}

TEST(Batch, HoldsEveryWordOnce) {
  const std::vector<Ids> reviews{{5, 3, 5}, {7}, {3, 7, 9, 3}};
  const Batch batch = batch_of(reviews);
  EXPECT_TRUE(at::equal(batch.words, at::tensor({0, 5, 3, 7, 9}, at::kLong)));
  const at::Tensor ids = batch.words.index_select(0, batch.places.flatten()).view({3, 4});
  const at::Tensor wanted =
      at::tensor({5, 3, 5, 0, 7, 0, 0, 0, 3, 7, 9, 3}, at::kLong).view({3, 4});
  EXPECT_TRUE(at::equal(ids, wanted));
  EXPECT_TRUE(at::equal(batch.lengths, at::tensor({3, 1, 4}, at::kLong)));
}

TEST(Model, WordsBehindAReviewsEndMakeNoDifference) {
  for (const bool complex : {false, true}) {
    const Model model(shape_of(complex), {}, 1);
    const Ids review{3, 4, 5, 6, 7};
    const at::Tensor alone = scores_of(model, batch_of({review}));
    const at::Tensor padded = scores_of(model, batch_of({review, Ids(9, 8)}));
    const at::Tensor beside = padded.narrow(0, 0, 1).narrow(1, 0, 5);
    EXPECT_TRUE(at::allclose(alone, beside, 1e-5, 1e-6)) << complex;
  }
}

TEST(Model, OnlyTheComplexEncoderReadsNeighbours) {
  for (const bool complex : {false, true}) {
    const Model model(shape_of(complex), {}, 1);
    const auto score = [&](const Ids& review) {
      return scores_of(model, batch_of({review})).select(1, 1);
    };
    EXPECT_EQ(at::equal(score({3, 4, 5}), score({9, 4, 5})), !complex);
  }
}

TEST(Model, ARatingIsOfTheSumOfSelectedWordsAlone) {
  const Model model(shape_of(false), {}, 1);
  const auto rating = [&](const Ids& review, const at::Tensor& selection) {
    const Batch batch = batch_of({review});
    return model.predict(model.embed(batch.words), batch.places, selection.unsqueeze(0), 2);
  };
  const at::Tensor last_two = at::tensor({0.0f, 1.0f, 1.0f});
  EXPECT_TRUE(at::equal(rating({3, 4, 5}, last_two), rating({9, 4, 5}, last_two)));
  EXPECT_TRUE(rating({3, 4, 5}, last_two).gt(0).all().item<bool>());
  EXPECT_TRUE(rating({3, 4, 5}, last_two).lt(1).all().item<bool>());
  // A word that stands twice counts twice.
  const at::Tensor halves = at::tensor({0.5f, 0.5f, 1.0f});
  EXPECT_TRUE(at::allclose(rating({4, 4, 5}, halves), rating({3, 4, 5}, last_two)));
}

}  // namespace
}  // namespace learning_to_explain
