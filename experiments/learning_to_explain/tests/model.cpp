#include "learning_to_explain/model.hpp"

#include <gtest/gtest.h>

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

TEST(Model, WordsBehindAReviewsEndMakeNoDifference) {
  for (const bool complex : {false, true}) {
    const Model model(shape_of(complex), {}, 1);
    const at::Tensor words = at::tensor({3, 4, 5, 6, 7}, at::kLong).unsqueeze(0);
    const at::Tensor padded = at::cat({words, at::zeros({1, 4}, at::kLong)}, 1);
    const at::Tensor lengths = at::tensor({5}, at::kLong);
    const at::Tensor alone = model.scores(model.embed(words), lengths, {});
    const at::Tensor beside = model.scores(model.embed(padded), lengths, {}).narrow(1, 0, 5);
    EXPECT_TRUE(at::allclose(alone, beside, 1e-5, 1e-6)) << complex;
  }
}

TEST(Model, OnlyTheComplexEncoderReadsNeighbours) {
  for (const bool complex : {false, true}) {
    const Model model(shape_of(complex), {}, 1);
    const at::Tensor words = at::tensor({3, 4, 5}, at::kLong).unsqueeze(0);
    at::Tensor other = words.clone();
    other.select(1, 0).fill_(9);
    const at::Tensor lengths = at::tensor({3}, at::kLong);
    const auto score = [&](const at::Tensor& w) {
      return model.scores(model.embed(w), lengths, {}).select(1, 1);
    };
    EXPECT_EQ(at::equal(score(words), score(other)), !complex);
  }
}

TEST(Model, ARatingDependsOnSelectedWordsAlone) {
  const Model model(shape_of(false), {}, 1);
  const at::Tensor words = at::tensor({3, 4, 5}, at::kLong).unsqueeze(0);
  at::Tensor other = words.clone();
  other.select(1, 0).fill_(9);
  const at::Tensor selection = at::tensor({0.0f, 1.0f, 1.0f}).unsqueeze(0);
  const auto rating = [&](const at::Tensor& w) {
    return model.predict(model.embed(w), selection, 2);
  };
  EXPECT_TRUE(at::equal(rating(words), rating(other)));
  EXPECT_TRUE(rating(words).gt(0).logical_and(rating(words).lt(1)).all().item<bool>());
}

}  // namespace
}  // namespace learning_to_explain
