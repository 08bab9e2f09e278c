#pragma once
/// The networks of neural relational inference (Kipf et al. 2018) on a complete graph: an encoder
/// that reads a layout's frames and scores every ordered pair of vertices, and a decoder that moves
/// the vertices by one round of messages along weighted pairs.
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "common/parameters.hpp"

namespace graph_layout {

using experiments::Adam;
using experiments::Parameters;

struct ModelShape {
  std::int64_t nodes, frames;
  std::int64_t hidden;   // width of the encoder and of the decoder's output network
  std::int64_t message;  // width of a message and of its hidden layer
  std::int64_t scores;   // numbers per ordered pair the encoder gives: 1 or 2
  double score_scale;    // factor on the initial weights of the encoder's last layer
  bool baseline;         // with the learned baseline's head
};

class Model {
 public:
  Model(const ModelShape& shape, std::uint64_t seed, at::Device device);

  struct Encoded {
    at::Tensor scores;    // [batch, pairs, scores]
    at::Tensor features;  // [batch, pairs, hidden]: the last layer but one
  };
  /// `batch_statistics`: normalise by this batch's moments and note them, as in training;
  /// otherwise by the moments noted so far.
  Encoded encode(const at::Tensor& positions,  // [batch, nodes, frames, 2]
                 bool batch_statistics);

  /// The positions one frame later.
  at::Tensor decode(const at::Tensor& positions,            // [batch, steps, nodes, 2]
                    const at::Tensor& edge_weights) const;  // [batch, pairs, 2]

  /// What the learned baseline expects of each datum's loss: [batch].
  at::Tensor baseline(const at::Tensor& features) const;

  const Parameters& parameters() const { return parameters_; }
  /// Running means and variances of the normalisations, in one vector.
  const at::Tensor& moments() const { return moments_; }
  /// The decoder's share of a vector laid out like the parameters.
  at::Tensor decoder_part(const at::Tensor& flat) const {
    return flat.slice(0, decoder_begin_, decoder_end_);
  }

  /// Exchanges the networks of the two message types and turns the sign of the encoder's scores: to
  /// first order the same model, but the other type now stands for an edge.
  void mirror();

 private:
  struct Linear {
    std::size_t weight, bias;
  };
  struct Block {
    Linear first, second;
    std::size_t gain, shift;
    std::int64_t moments;
  };

  Linear declare_linear(const std::string& name, std::int64_t in, std::int64_t out, bool xavier,
                        double scale = 1);
  Block declare_block(const std::string& name, std::int64_t in);
  void declare_decoder();
  at::Tensor tail(const Block& block, const at::Tensor& activated, bool batch_statistics);
  at::Tensor node_block(const Block& block, const at::Tensor& input, bool batch_statistics);
  at::Tensor project(const Linear& linear, const at::Tensor& vertices, std::int64_t width) const;

  const at::Tensor& weight(const Linear& linear) const { return parameters_[linear.weight]; }
  const at::Tensor& bias(const Linear& linear) const { return parameters_[linear.bias]; }

  ModelShape shape_;
  at::Generator generator_;
  Parameters parameters_;
  at::Tensor moments_;
  std::int64_t moment_count_ = 0, decoder_begin_ = 0, decoder_end_ = 0;
  Block vertices_, pairs_, received_, final_;
  Linear score_{}, move1_{}, move2_{}, move3_{}, baseline1_{}, baseline2_{};
  std::size_t message_in_ = 0, message_in_bias_ = 0, message_out_ = 0, message_out_bias_ = 0;
};

}  // namespace graph_layout
