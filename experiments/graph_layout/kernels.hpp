#pragma once
/// The loops between the matrix products: each makes one pass over rows that are still in cache.
/// Compiled for several instruction sets, chosen when the program starts.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace graph_layout::kernels {

/// The rows of one tile: row r is the message from vertex sender[r] to vertex receiver[r] (numbered
/// within the tile) along pair[r] (numbered within the tile), weighted by weight[r].
struct Rows {
  std::vector<std::int32_t> receiver, sender, pair;
  std::vector<float> weight;

  std::size_t size() const { return receiver.size(); }
};

/// Where the two projections of a vertex lie: `projected` is [vertices, stride], the sender's part
/// starts at `sender`, the receiver's at `receiver`, both `width` wide.
struct Projection {
  std::size_t stride, sender, receiver, width;
};

/// hidden[r] = relu(projected sender + projected receiver).
void add_relu(const Rows& rows, const Projection& at, const float* projected, float* hidden);

/// total[receiver] += weight relu(product[r] + bias); `positive`, unless null, notes by pair where
/// the relu let something through (row r at positive + pair[r] * positive_stride).
void accumulate_relu(const Rows& rows, std::size_t width, const float* product, const float* bias,
                     float* total, std::uint8_t* positive, std::size_t positive_stride);

/// gradient[r] = total_gradient[receiver] where the relu let something through, else 0.
void spread_gradient(const Rows& rows, std::size_t width, const float* total_gradient,
                     const std::uint8_t* positive, std::size_t positive_stride, float* gradient);

/// One pass of the backward step. `spread` comes from spread_gradient, `back` is its product with
/// the weight matrix. Adds to weight_gradient[pair * weight_stride], projected_gradient and
/// bias_gradient, and multiplies spread[r] by weight[r].
void message_backward(const Rows& rows, const Projection& at, const float* hidden,
                      const float* bias, const float* back, float* spread,
                      float* projected_gradient, float* bias_gradient, float* weight_gradient,
                      std::size_t weight_stride);

/// For all ordered pairs of `nodes` vertices of one graph: out = elu(out + sender + receiver) if
/// `accumulate`, else elu(sender + receiver); out is [nodes (nodes - 1), width].
void pair_elu(std::size_t nodes, const Projection& at, const float* projected, bool accumulate,
              float* out);

/// passed = gradient elu'(.), the slope read off elu's output `out`; the sums of `passed` over
/// pairs go to projected_gradient [nodes, stride], overwritten.
void pair_elu_backward(std::size_t nodes, const Projection& at, const float* out,
                       const float* gradient, float* passed, float* projected_gradient);

/// x[r] = elu(x[r] + bias), in place.
void bias_elu(std::size_t rows, std::size_t width, const float* bias, float* x);

/// passed = gradient elu'(.), the slope read off elu's output; bias_gradient += its column sums.
void bias_elu_backward(std::size_t rows, std::size_t width, const float* out, const float* gradient,
                       float* passed, float* bias_gradient);

}  // namespace graph_layout::kernels
