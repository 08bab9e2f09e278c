#pragma once
/// The operations on all ordered pairs of vertices, where nearly all of a training step goes.
///
/// An edge's first linear layer sees sender and receiver side by side, so it is the sum of a
/// sender's and a receiver's part, computed once a vertex and added for every pair: no gather, no
/// one-hot matrix. Pairs (i, j), i receiving from j, lie in the order of i, then j, without i = j:
/// nodes (nodes - 1) of them.
///
/// On the CPU in float32 these are fused kernels with hand-written derivatives (once
/// differentiable); elsewhere, and as the kernels' oracle, the `plain` twins do the same in ATen.
#include <optional>

#include <ATen/ATen.h>

namespace graph_layout {

/// elu(sender part + receiver part (+ features weight^T)) for every pair.
at::Tensor pair_layer(const at::Tensor& projected,  // [batch, nodes, 2 width]: sender's, receiver's
                      const std::optional<at::Tensor>& features,  // [batch, pairs, in]
                      const std::optional<at::Tensor>& weight);   // [width, in]
at::Tensor pair_layer_plain(const at::Tensor& projected, const std::optional<at::Tensor>& features,
                            const std::optional<at::Tensor>& weight);

/// elu(input weight^T + bias).
at::Tensor linear_elu(const at::Tensor& input,   // [..., in]
                      const at::Tensor& weight,  // [out, in]
                      const at::Tensor& bias);   // [out]
at::Tensor linear_elu_plain(const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias);

/// One round of messages. The message of type c along a pair is
/// relu(weight_c relu(sender part + receiver part) + bias_c), times the pair's weight of that type;
/// a vertex receives the sum over types and senders. A pair whose weight is exactly 0 costs nothing
/// where `edge_weights` needs no gradient.
at::Tensor message_round(
    const at::Tensor& projected,      // [batch, steps, nodes, 2 types width]: sender's, receiver's
    const at::Tensor& weight,         // [types, width, width]
    const at::Tensor& bias,           // [types, width]
    const at::Tensor& edge_weights);  // [batch, pairs, types], the same at every step
at::Tensor message_round_plain(const at::Tensor& projected, const at::Tensor& weight,
                               const at::Tensor& bias, const at::Tensor& edge_weights);

}  // namespace graph_layout
