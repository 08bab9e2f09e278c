#include "learning_to_explain/model.hpp"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>

namespace learning_to_explain {

/// [out, in], or [out, in, width] for a convolution; both uniform, as PyTorch's layers start.
Model::Layer Model::declare(const std::string& name, std::int64_t in, std::int64_t out,
                            std::int64_t width) {
  const double bound = 1 / std::sqrt(static_cast<double>(in * width));
  const auto start = [&](at::IntArrayRef shape) {
    return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator_);
  };
  const at::Tensor weight = width == 1 ? start({out, in}) : start({out, in, width});
  return {parameters_.declare(name + ".weight", weight),
          parameters_.declare(name + ".bias", start({out}))};
}

Model::Model(const ModelShape& shape, const at::Tensor& vectors, std::uint64_t seed)
    : shape_(shape), generator_(at::detail::createCPUGenerator(seed)), fixed_(vectors) {
  const std::int64_t hidden = shape.hidden;
  const std::int64_t length = fixed_.defined() ? fixed_.size(1) : shape.embedding;
  if (!fixed_.defined()) {
    learnt_ = parameters_.declare(
        "embedding", at::empty({shape.words, length}, at::kFloat).normal_(0, 1, generator_));
  }
  first_ = declare("encoder.first", length, hidden, shape.complex ? 3 : 1);
  if (shape.complex) {
    global_ = declare("encoder.global", hidden, hidden);
    local1_ = declare("encoder.local.first", hidden, hidden, 3);
    local2_ = declare("encoder.local.second", hidden, hidden, 3);
    joined_ = declare("encoder.joined", 2 * hidden, hidden);
  }
  score_ = declare("encoder.score", hidden, shape.scores);
  rate1_ = declare("predictor.first", length, shape.predictor);
  rate2_ = declare("predictor.second", shape.predictor, 1);
  parameters_.allocate(at::kCPU);
}

at::Tensor Model::apply(const Layer& layer, const at::Tensor& input) const {
  return at::linear(input, parameters_[layer.weight], parameters_[layer.bias]);
}

/// Over places, of [batch, longest, in]; outside a review are zeros.
at::Tensor Model::convolve(const Layer& layer, const at::Tensor& input) const {
  return at::conv1d(input.transpose(1, 2), parameters_[layer.weight], parameters_[layer.bias], 1, 1)
      .transpose(1, 2)
      .relu();
}

at::Tensor Model::embed(const at::Tensor& words) const {
  return at::embedding(learnt_ ? parameters_[*learnt_] : fixed_, words);
}

at::Tensor Model::scores(const at::Tensor& vectors, const at::Tensor& places,
                         const at::Tensor& lengths,
                         std::optional<std::int64_t> dropout_seed) const {
  if (!shape_.complex) return at::embedding(apply(score_, apply(first_, vectors).relu()), places);
  // Behind a review's end every layer sees zeros, so that padding makes no difference.
  const at::Tensor inside =
      at::arange(places.size(1), lengths.options()).lt(lengths.unsqueeze(1)).unsqueeze(-1);
  const at::Tensor kept = inside.to(vectors.scalar_type());
  const at::Tensor c1 = convolve(first_, at::embedding(vectors, places) * kept) * kept;
  const at::Tensor global = apply(global_, c1.amax(1)).relu().unsqueeze(1).expand_as(c1);
  const at::Tensor local = convolve(local2_, convolve(local1_, c1) * kept);
  at::Tensor joined = at::cat({global, local}, -1);
  if (dropout_seed && shape_.dropout > 0) {
    auto generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(*dropout_seed));
    const double keep = 1 - shape_.dropout;
    joined = joined * at::empty_like(joined).bernoulli_(keep, at::Generator(generator)) / keep;
  }
  return apply(score_, apply(joined_, joined).relu());
}

at::Tensor Model::predict(const at::Tensor& vectors, const at::Tensor& places,
                          const at::Tensor& selection, std::int64_t k) const {
  std::vector<std::int64_t> shape = selection.sizes().vec();
  shape.back() = vectors.size(0);
  const at::Tensor often =
      at::zeros(shape, selection.options()).scatter_add(-1, places.expand_as(selection), selection);
  const at::Tensor sum = at::matmul(often, vectors);
  const at::Tensor hidden = apply(rate1_, sum / static_cast<double>(k)).relu();
  return apply(rate2_, hidden).squeeze(-1).sigmoid();
}

}  // namespace learning_to_explain
