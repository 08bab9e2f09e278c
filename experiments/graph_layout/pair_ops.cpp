#include "graph_layout/pair_ops.hpp"

#include <algorithm>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "graph_layout/kernels.hpp"

namespace graph_layout {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

bool fused(const at::Tensor& x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; }

/// Sums over tiles are kept in this many parts and added in order, so that they depend neither on
/// the number of threads nor on their timing.
constexpr std::int64_t parts = 8;

template <class Body>
void for_each_part(std::int64_t count, const Body& body) {
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView plain_calls;
    for (std::int64_t part = begin; part < end; ++part) {
      body(part, part * count / parts, (part + 1) * count / parts);
    }
  });
}

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

// ---------------------------------------------------------------------------------- pair_layer

struct PairLayer : torch::autograd::Function<PairLayer> {
  static kernels::Projection projection(std::int64_t width) {
    return {index(2 * width), 0, index(width), index(width)};
  }

  using Optional = std::optional<at::Tensor>;

  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& projected_in,
                            const Optional& features_in, const Optional& weight_in) {
    const at::Tensor features = features_in.value_or(at::Tensor());
    const at::Tensor weight = weight_in.value_or(at::Tensor());
    const at::Tensor projected = projected_in.contiguous();
    const std::int64_t batch = projected.size(0), nodes = projected.size(1);
    const std::int64_t width = projected.size(2) / 2, pairs = nodes * (nodes - 1);
    const bool accumulate = features.defined();
    at::Tensor out = accumulate ? at::matmul(features, weight.t())
                                : at::empty({batch, pairs, width}, projected.options());
    const float* from = projected.const_data_ptr<float>();
    auto* to = out.mutable_data_ptr<float>();
    at::parallel_for(0, batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        kernels::pair_elu(index(nodes), projection(width), from + b * nodes * 2 * width, accumulate,
                          to + b * pairs * width);
      }
    });
    ctx->save_for_backward({out, features, weight});
    ctx->saved_data["nodes"] = nodes;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &out = saved[0], &features = saved[1], &weight = saved[2];
    const std::int64_t nodes = ctx->saved_data["nodes"].toInt(), batch = out.size(0);
    const std::int64_t pairs = out.size(1), width = out.size(2);
    const at::Tensor gradient = gradients[0].contiguous(), passed = at::empty_like(gradient);
    at::Tensor projected_gradient = at::empty({batch, nodes, 2 * width}, out.options());
    const float* y = out.const_data_ptr<float>();
    const float* g = gradient.const_data_ptr<float>();
    auto* to = passed.mutable_data_ptr<float>();
    auto* p = projected_gradient.mutable_data_ptr<float>();
    at::parallel_for(0, batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        kernels::pair_elu_backward(index(nodes), projection(width), y + b * pairs * width,
                                   g + b * pairs * width, to + b * pairs * width,
                                   p + b * nodes * 2 * width);
      }
    });
    if (!features.defined()) return {projected_gradient, {}, {}};
    return {projected_gradient, at::matmul(passed, weight),
            at::mm(passed.flatten(0, 1).t(), features.flatten(0, 1))};
  }
};

// ---------------------------------------------------------------------------------- linear_elu

struct LinearElu : torch::autograd::Function<LinearElu> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias) {
    at::Tensor out = at::matmul(input, weight.t());
    const std::int64_t width = out.size(-1), rows = out.numel() / width;
    auto* y = out.mutable_data_ptr<float>();
    const float* b = bias.const_data_ptr<float>();
    for_each_part(rows, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      kernels::bias_elu(index(end - begin), index(width), b, y + begin * width);
    });
    ctx->save_for_backward({input, weight, out});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &out = saved[2];
    const std::int64_t width = out.size(-1), rows = out.numel() / width;
    const at::Tensor gradient = gradients[0].contiguous(), passed = at::empty_like(gradient);
    at::Tensor bias_parts = at::zeros({parts, width}, out.options());
    const float* y = out.const_data_ptr<float>();
    const float* g = gradient.const_data_ptr<float>();
    auto* to = passed.mutable_data_ptr<float>();
    auto* b = bias_parts.mutable_data_ptr<float>();
    for_each_part(rows, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
      kernels::bias_elu_backward(index(end - begin), index(width), y + begin * width,
                                 g + begin * width, to + begin * width, b + part * width);
    });
    const at::Tensor flat = passed.view({rows, width});
    const at::Tensor input_gradient =
        ctx->needs_input_grad(0) ? at::matmul(passed, weight) : at::Tensor();
    return {input_gradient, at::mm(flat.t(), input.reshape({rows, -1})), bias_parts.sum(0)};
  }
};

// ------------------------------------------------------------------------------- message_round

/// Sizes of one call, and how it is cut into tiles of whole graphs whose rows stay in cache.
struct Sizes {
  std::int64_t batch, steps, nodes, types, width;

  Sizes(const at::Tensor& projected, const at::Tensor& weight)
      : batch(projected.size(0)),
        steps(projected.size(1)),
        nodes(projected.size(2)),
        types(weight.size(0)),
        width(weight.size(1)) {}

  std::int64_t pairs() const { return nodes * (nodes - 1); }
  std::int64_t graphs() const { return batch * steps; }
  std::int64_t stride() const { return 2 * types * width; }
  std::int64_t tile() const {
    constexpr std::int64_t floats = 48 * 1024;  // of one row buffer; three fit a megabyte of cache
    return std::max<std::int64_t>(1, floats / width / pairs());
  }
  kernels::Projection projection(std::int64_t type) const {
    return {index(stride()), index(type * width), index((types + type) * width), index(width)};
  }
};

/// The rows of type `type` in graphs [first, first + count); without those of weight 0 if `sparse`.
void list_rows(const Sizes& sizes, std::int64_t first, std::int64_t count, std::int64_t type,
               const float* edge_weights, bool sparse, kernels::Rows* rows) {
  rows->receiver.clear();
  rows->sender.clear();
  rows->pair.clear();
  rows->weight.clear();
  for (std::int64_t graph = 0; graph < count; ++graph) {
    const float* weight =
        edge_weights + (first + graph) / sizes.steps * sizes.pairs() * sizes.types + type;
    std::int64_t pair = 0;
    for (std::int64_t i = 0; i < sizes.nodes; ++i) {
      for (std::int64_t j = 0; j < sizes.nodes; ++j) {
        if (j == i) continue;
        const float value = weight[pair * sizes.types];
        if (!sparse || value != 0) {
          rows->receiver.push_back(static_cast<std::int32_t>(graph * sizes.nodes + i));
          rows->sender.push_back(static_cast<std::int32_t>(graph * sizes.nodes + j));
          rows->pair.push_back(static_cast<std::int32_t>(graph * sizes.pairs() + pair));
          rows->weight.push_back(value);
        }
        ++pair;
      }
    }
  }
}

/// Row buffers of one thread.
struct Buffers {
  at::Tensor hidden, product, spread;

  Buffers(const Sizes& sizes, const at::TensorOptions& options, bool backward)
      : hidden(at::empty({sizes.tile() * sizes.pairs(), sizes.width}, options)),
        product(at::empty_like(hidden)),
        spread(backward ? at::empty_like(hidden) : at::Tensor()) {}

  static at::Tensor head(const at::Tensor& buffer, const kernels::Rows& rows) {
    return buffer.narrow(0, 0, static_cast<std::int64_t>(rows.size()));
  }
};

struct MessageRound : torch::autograd::Function<MessageRound> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& projected_in,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& edge_weights_in, bool train) {
    const at::Tensor projected = projected_in.contiguous();
    const at::Tensor edge_weights = edge_weights_in.contiguous();
    const Sizes sizes(projected, weight);
    const bool sparse = !edge_weights.requires_grad();
    at::Tensor total =
        at::zeros({sizes.batch, sizes.steps, sizes.nodes, sizes.width}, projected.options());
    at::Tensor positive;
    if (train) {
      positive = at::empty({sizes.graphs(), sizes.pairs(), sizes.types, sizes.width},
                           projected.options().dtype(at::kByte));
    }
    for_each_part(sizes.graphs(), [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      forward_part(sizes, begin, end, projected, weight, bias, edge_weights, sparse, total,
                   positive);
    });
    ctx->save_for_backward({projected, weight, bias, edge_weights, positive});
    ctx->saved_data["sparse"] = sparse;
    return total;
  }

  static void forward_part(const Sizes& sizes, std::int64_t begin, std::int64_t end,
                           const at::Tensor& projected, const at::Tensor& weight,
                           const at::Tensor& bias, const at::Tensor& edge_weights, bool sparse,
                           at::Tensor& total, at::Tensor& positive) {
    const Buffers buffers(sizes, projected.options(), false);
    kernels::Rows rows;
    for (std::int64_t first = begin; first < end; first += sizes.tile()) {
      const std::int64_t count = std::min(sizes.tile(), end - first);
      for (std::int64_t type = 0; type < sizes.types; ++type) {
        list_rows(sizes, first, count, type, edge_weights.const_data_ptr<float>(), sparse, &rows);
        if (rows.size() == 0) continue;
        kernels::add_relu(rows, sizes.projection(type),
                          projected.const_data_ptr<float>() + first * sizes.nodes * sizes.stride(),
                          buffers.hidden.mutable_data_ptr<float>());
        at::Tensor product = Buffers::head(buffers.product, rows);
        at::mm_out(product, Buffers::head(buffers.hidden, rows), weight.select(0, type).t());
        std::uint8_t* marks = positive.defined()
                                  ? positive.mutable_data_ptr<std::uint8_t>() +
                                        (first * sizes.pairs() * sizes.types + type) * sizes.width
                                  : nullptr;
        kernels::accumulate_relu(
            rows, index(sizes.width), product.const_data_ptr<float>(),
            bias.const_data_ptr<float>() + type * sizes.width,
            total.mutable_data_ptr<float>() + first * sizes.nodes * sizes.width, marks,
            index(sizes.types * sizes.width));
      }
    }
  }

  /// What the parts of a backward step add to; the first three have one slice a part.
  struct Gradients {
    at::Tensor weight, bias, edge_weights, projected;
  };

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &projected = saved[0], &weight = saved[1];
    const Sizes sizes(projected, weight);
    const auto options = projected.options();
    const at::Tensor total_gradient = gradients[0].contiguous();
    Gradients out{at::zeros({parts, sizes.types, sizes.width, sizes.width}, options),
                  at::zeros({parts, sizes.types, sizes.width}, options),
                  at::zeros({sizes.graphs(), sizes.pairs(), sizes.types}, options),
                  at::zeros_like(projected)};
    const bool sparse = ctx->saved_data["sparse"].toBool();
    for_each_part(sizes.graphs(), [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
      backward_part(sizes, part, begin, end, saved, sparse, total_gradient, out);
    });
    at::Tensor edge_gradient;
    if (!sparse) {
      edge_gradient =
          out.edge_weights.view({sizes.batch, sizes.steps, sizes.pairs(), sizes.types}).sum(1);
    }
    return {out.projected, out.weight.sum(0), out.bias.sum(0), edge_gradient, at::Tensor()};
  }

  static void backward_part(const Sizes& sizes, std::int64_t part, std::int64_t begin,
                            std::int64_t end, const variable_list& saved, bool sparse,
                            const at::Tensor& total_gradient, Gradients& out) {
    const at::Tensor &projected = saved[0], &weight = saved[1], &bias = saved[2];
    const float* edge_weights = saved[3].const_data_ptr<float>();
    const std::uint8_t* positive = saved[4].const_data_ptr<std::uint8_t>();
    const Buffers buffers(sizes, projected.options(), true);
    auto* hidden = buffers.hidden.mutable_data_ptr<float>();
    auto* spread = buffers.spread.mutable_data_ptr<float>();
    const std::size_t width = index(sizes.width);
    kernels::Rows rows;
    for (std::int64_t first = begin; first < end; first += sizes.tile()) {
      const std::int64_t count = std::min(sizes.tile(), end - first);
      for (std::int64_t type = 0; type < sizes.types; ++type) {
        list_rows(sizes, first, count, type, edge_weights, sparse, &rows);
        if (rows.size() == 0) continue;
        const std::int64_t vertex = first * sizes.nodes, pair = first * sizes.pairs();
        kernels::add_relu(rows, sizes.projection(type),
                          projected.const_data_ptr<float>() + vertex * sizes.stride(), hidden);
        kernels::spread_gradient(rows, width,
                                 total_gradient.const_data_ptr<float>() + vertex * sizes.width,
                                 positive + (pair * sizes.types + type) * sizes.width,
                                 index(sizes.types * sizes.width), spread);
        at::Tensor back = Buffers::head(buffers.product, rows);
        const at::Tensor spread_rows = Buffers::head(buffers.spread, rows);
        at::mm_out(back, spread_rows, weight.select(0, type));
        kernels::message_backward(
            rows, sizes.projection(type), hidden, bias.const_data_ptr<float>() + type * sizes.width,
            back.const_data_ptr<float>(), spread,
            out.projected.mutable_data_ptr<float>() + vertex * sizes.stride(),
            out.bias.mutable_data_ptr<float>() + (part * sizes.types + type) * sizes.width,
            out.edge_weights.mutable_data_ptr<float>() + pair * sizes.types + type,
            index(sizes.types));
        at::Tensor sum = out.weight.select(0, part).select(0, type);
        sum.addmm_(spread_rows.t(), Buffers::head(buffers.hidden, rows));
      }
    }
  }
};

/// [..., nodes, nodes, width] without its diagonal: [..., nodes (nodes - 1), width].
at::Tensor drop_diagonal(const at::Tensor& square) {
  const std::int64_t nodes = square.size(-2), width = square.size(-1);
  std::vector<std::int64_t> shape = square.sizes().vec();
  shape.resize(shape.size() - 3);
  std::vector<std::int64_t> skewed = shape, flat = shape;
  skewed.insert(skewed.end(), {nodes - 1, nodes + 1, width});
  flat.insert(flat.end(), {nodes * (nodes - 1), width});
  // After the first entry, the diagonal is every (nodes + 1)-th.
  return square.flatten(-3, -2)
      .narrow(-2, 1, nodes * nodes - 1)
      .reshape(skewed)
      .narrow(-2, 0, nodes)
      .reshape(flat);
}

/// Sender's part of j plus receiver's part of i for every pair (i, j).
at::Tensor pair_sums(const at::Tensor& projected) {
  const std::int64_t width = projected.size(-1) / 2;
  return drop_diagonal(projected.narrow(-1, 0, width).unsqueeze(-3) +
                       projected.narrow(-1, width, width).unsqueeze(-2));
}

}  // namespace

at::Tensor pair_layer_plain(const at::Tensor& projected, const std::optional<at::Tensor>& features,
                            const std::optional<at::Tensor>& weight) {
  const at::Tensor sums = pair_sums(projected);
  return at::elu(features ? sums + at::matmul(*features, weight->t()) : sums);
}

at::Tensor pair_layer(const at::Tensor& projected, const std::optional<at::Tensor>& features,
                      const std::optional<at::Tensor>& weight) {
  if (!fused(projected)) return pair_layer_plain(projected, features, weight);
  return PairLayer::apply(projected, features, weight);
}

at::Tensor linear_elu_plain(const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias) {
  return at::elu(at::linear(input, weight, bias));
}

at::Tensor linear_elu(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  return fused(input) ? LinearElu::apply(input, weight, bias)
                      : linear_elu_plain(input, weight, bias);
}

at::Tensor message_round_plain(const at::Tensor& projected, const at::Tensor& weight,
                               const at::Tensor& bias, const at::Tensor& edge_weights) {
  const std::int64_t types = weight.size(0), width = weight.size(1), nodes = projected.size(2);
  const at::Tensor hidden = at::relu(pair_sums(projected));  // [batch, steps, pairs, types width]
  at::Tensor total;
  for (std::int64_t type = 0; type < types; ++type) {
    const at::Tensor message = at::relu(at::linear(hidden.narrow(-1, type * width, width),
                                                   weight.select(0, type), bias.select(0, type)));
    const at::Tensor weighted = message * edge_weights.select(2, type).unsqueeze(1).unsqueeze(-1);
    total = total.defined() ? total + weighted : weighted;
  }
  return total.unflatten(2, {nodes, nodes - 1}).sum(3);
}

at::Tensor message_round(const at::Tensor& projected, const at::Tensor& weight,
                         const at::Tensor& bias, const at::Tensor& edge_weights) {
  if (!fused(projected)) return message_round_plain(projected, weight, bias, edge_weights);
  const bool train =
      at::GradMode::is_enabled() && (projected.requires_grad() || weight.requires_grad() ||
                                     bias.requires_grad() || edge_weights.requires_grad());
  return MessageRound::apply(projected, weight, bias, edge_weights, train);
}

}  // namespace graph_layout
