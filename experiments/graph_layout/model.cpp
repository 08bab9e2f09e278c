#include "graph_layout/model.hpp"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>

#include "graph_layout/pair_ops.hpp"

namespace graph_layout {
namespace {

constexpr std::int64_t types = 2;

at::Tensor normal(std::vector<std::int64_t> shape, double deviation, const at::Generator& source) {
  return at::randn(shape, source, at::kFloat).mul_(deviation);
}

/// LibTorch's own default for a layer with `in` inputs: uniform within 1/sqrt(in).
at::Tensor uniform(std::vector<std::int64_t> shape, std::int64_t in, const at::Generator& source) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return at::rand(shape, source, at::kFloat).mul_(2 * bound).sub_(bound);
}

}  // namespace

Model::Linear Model::declare_linear(const std::string& name, std::int64_t in, std::int64_t out,
                                    bool xavier, double scale) {
  at::Tensor weight, bias;
  if (xavier) {
    weight = normal({out, in}, scale * std::sqrt(2.0 / static_cast<double>(in + out)), generator_);
    bias = at::full({out}, 0.1 * scale, at::kFloat);
  } else {
    weight = uniform({out, in}, in, generator_);
    bias = uniform({out}, in, generator_);
  }
  return {parameters_.declare(name + ".weight", weight), parameters_.declare(name + ".bias", bias)};
}

Model::Block Model::declare_block(const std::string& name, std::int64_t in) {
  const std::int64_t hidden = shape_.hidden;
  Block block{};
  block.first = declare_linear(name + ".first", in, hidden, true);
  block.second = declare_linear(name + ".second", hidden, hidden, true);
  block.gain = parameters_.declare(name + ".gain", at::ones({hidden}, at::kFloat));
  block.shift = parameters_.declare(name + ".shift", at::zeros({hidden}, at::kFloat));
  block.moments = moment_count_;
  moment_count_ += 2 * hidden;
  return block;
}

void Model::declare_decoder() {
  const std::int64_t width = shape_.message, hidden = shape_.hidden;
  // Row c * width + k is unit k of message type c; the columns are sender's x, y, receiver's x, y.
  message_in_ = parameters_.declare("decoder.message.first.weight",
                                    uniform({types * width, 4}, 4, generator_));
  message_in_bias_ =
      parameters_.declare("decoder.message.first.bias", uniform({types * width}, 4, generator_));
  message_out_ = parameters_.declare("decoder.message.second.weight",
                                     uniform({types, width, width}, width, generator_));
  message_out_bias_ = parameters_.declare("decoder.message.second.bias",
                                          uniform({types, width}, width, generator_));
  move1_ = declare_linear("decoder.move.first", 2 + width, hidden, false);
  move2_ = declare_linear("decoder.move.second", hidden, hidden, false);
  move3_ = declare_linear("decoder.move.third", hidden, 2, false);
}

Model::Model(const ModelShape& shape, std::uint64_t seed, at::Device device)
    : shape_(shape), generator_(at::detail::createCPUGenerator(seed)) {
  const std::int64_t hidden = shape.hidden;
  vertices_ = declare_block("encoder.vertices", 2 * shape.frames);
  pairs_ = declare_block("encoder.pairs", 2 * hidden);
  received_ = declare_block("encoder.received", hidden);
  final_ = declare_block("encoder.final", 3 * hidden);
  score_ = declare_linear("encoder.score", hidden, shape.scores, true, shape.score_scale);
  const std::size_t encoder_arrays = parameters_.names().size();
  declare_decoder();
  const std::size_t decoder_arrays = parameters_.names().size();
  if (shape.baseline) {
    const std::int64_t pairs = shape.nodes * (shape.nodes - 1);
    baseline1_ = declare_linear("baseline.first", pairs * hidden, hidden, false);
    baseline2_ = declare_linear("baseline.second", hidden, 1, false);
  }
  parameters_.allocate(device);
  decoder_begin_ = parameters_.offset(encoder_arrays);
  decoder_end_ = shape.baseline ? parameters_.offset(decoder_arrays) : parameters_.size();
  moments_ = at::zeros({moment_count_}, parameters_.values().options());
  for (const Block* block : {&vertices_, &pairs_, &received_, &final_}) {
    moments_.narrow(0, block->moments + hidden, hidden).fill_(1);
  }
}

at::Tensor Model::tail(const Block& block, const at::Tensor& activated, bool batch_statistics) {
  constexpr double momentum = 0.1, epsilon = 1e-5;
  const std::int64_t hidden = shape_.hidden;
  const at::Tensor rows = linear_elu(activated, weight(block.second), bias(block.second));
  const at::Tensor mean = moments_.narrow(0, block.moments, hidden);
  const at::Tensor variance = moments_.narrow(0, block.moments + hidden, hidden);
  return at::batch_norm(rows.view({-1, hidden}), parameters_[block.gain], parameters_[block.shift],
                        mean, variance, batch_statistics, momentum, epsilon, false)
      .view(rows.sizes());
}

at::Tensor Model::node_block(const Block& block, const at::Tensor& input, bool batch_statistics) {
  return tail(block, linear_elu(input, weight(block.first), bias(block.first)), batch_statistics);
}

/// The sender's and the receiver's part of a first layer on [sender, receiver, ...] of `width`
/// each:
/// [..., 2 outputs], the bias counted with the receiver.
at::Tensor Model::project(const Linear& linear, const at::Tensor& vertices,
                          std::int64_t width) const {
  const at::Tensor& w = weight(linear);
  const at::Tensor both = at::cat({w.narrow(1, 0, width), w.narrow(1, width, width)});
  return at::linear(vertices, both, at::cat({at::zeros_like(bias(linear)), bias(linear)}));
}

Model::Encoded Model::encode(const at::Tensor& positions, bool batch_statistics) {
  const std::int64_t hidden = shape_.hidden, nodes = shape_.nodes;
  const at::Tensor vertices =
      node_block(vertices_, positions.reshape({positions.size(0), nodes, -1}), batch_statistics);
  const at::Tensor pairs =
      tail(pairs_, pair_layer(project(pairs_.first, vertices, hidden), std::nullopt, std::nullopt),
           batch_statistics);
  const at::Tensor sums = pairs.view({-1, nodes, nodes - 1, hidden}).sum(2);
  const at::Tensor received =
      node_block(received_, sums / static_cast<double>(nodes), batch_statistics);
  const at::Tensor skip = weight(final_.first).narrow(1, 2 * hidden, hidden);
  const at::Tensor features = tail(
      final_, pair_layer(project(final_.first, received, hidden), pairs, skip), batch_statistics);
  return {at::linear(features, weight(score_), bias(score_)), features};
}

at::Tensor Model::decode(const at::Tensor& positions, const at::Tensor& edge_weights) const {
  const at::Tensor& w = parameters_[message_in_];
  const at::Tensor& b = parameters_[message_in_bias_];
  const at::Tensor both = at::cat({w.narrow(1, 0, 2), w.narrow(1, 2, 2)});
  const at::Tensor projected = at::linear(positions, both, at::cat({at::zeros_like(b), b}));
  const at::Tensor messages = message_round(projected, parameters_[message_out_],
                                            parameters_[message_out_bias_], edge_weights);
  const at::Tensor joined = at::cat({positions, messages}, -1);
  const at::Tensor first = at::linear(joined, weight(move1_), bias(move1_)).relu_();
  const at::Tensor second = at::linear(first, weight(move2_), bias(move2_)).relu_();
  return positions + at::linear(second, weight(move3_), bias(move3_));
}

at::Tensor Model::baseline(const at::Tensor& features) const {
  const at::Tensor hidden =
      at::linear(features.flatten(1), weight(baseline1_), bias(baseline1_)).relu_();
  return at::linear(hidden, weight(baseline2_), bias(baseline2_)).squeeze(-1);
}

void Model::mirror() {
  const auto part = [&](std::size_t handle) {
    return parameters_.values().narrow(0, parameters_.offset(handle), parameters_[handle].numel());
  };
  part(score_.weight).neg_();
  part(score_.bias).neg_();
  for (const std::size_t handle :
       {message_in_, message_in_bias_, message_out_, message_out_bias_}) {
    part(handle).copy_(part(handle).view({types, -1}).flip(0).flatten());
  }
}

}  // namespace graph_layout
