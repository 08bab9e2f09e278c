#include "graph_layout/kernels.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GRAPH_LAYOUT_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GRAPH_LAYOUT_CLONES
#endif
#define GRAPH_LAYOUT_INLINE [[gnu::always_inline]] inline

namespace graph_layout::kernels {
namespace {

/// exp(x) - 1 for x <= 0 to about one unit in the last place of 1, without a branch or a call, so
/// that the loop around it is vectorised.
GRAPH_LAYOUT_INLINE float exp_minus_one(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * 1.44269504f + 12582912.0f;  // rounds to an integer in the low bits
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r;  // exp(r) - 1
  std::int32_t bits;
  std::memcpy(&bits, &shifted, 4);
  bits = (bits - 0x4B400000 + 127) << 23;
  float scale;  // 2^n
  std::memcpy(&scale, &bits, 4);
  return p * scale + (scale - 1.0f);
}

GRAPH_LAYOUT_INLINE float elu(float x) {
  const float low = exp_minus_one(x < 0.0f ? x : 0.0f);
  return x > 0.0f ? x : low;
}

GRAPH_LAYOUT_INLINE float elu_slope(float out) { return out > 0.0f ? 1.0f : out + 1.0f; }

}  // namespace

GRAPH_LAYOUT_CLONES
void add_relu(const Rows& rows, const Projection& at, const float* projected, float* hidden) {
  const std::size_t width = at.width;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* from =
        projected + static_cast<std::size_t>(rows.sender[r]) * at.stride + at.sender;
    const float* to =
        projected + static_cast<std::size_t>(rows.receiver[r]) * at.stride + at.receiver;
    float* __restrict out = hidden + r * width;
    for (std::size_t k = 0; k < width; ++k) {
      const float sum = from[k] + to[k];
      out[k] = sum > 0.0f ? sum : 0.0f;
    }
  }
}

GRAPH_LAYOUT_CLONES
void accumulate_relu(const Rows& rows, std::size_t width, const float* product, const float* bias,
                     float* total, std::uint8_t* positive, std::size_t positive_stride) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* __restrict in = product + r * width;
    float* __restrict out = total + static_cast<std::size_t>(rows.receiver[r]) * width;
    const float weight = rows.weight[r];
    for (std::size_t k = 0; k < width; ++k) {
      const float sum = in[k] + bias[k];
      out[k] += weight * (sum > 0.0f ? sum : 0.0f);
    }
    if (positive == nullptr) continue;
    std::uint8_t* __restrict mark =
        positive + static_cast<std::size_t>(rows.pair[r]) * positive_stride;
    for (std::size_t k = 0; k < width; ++k) mark[k] = in[k] + bias[k] > 0.0f;
  }
}

GRAPH_LAYOUT_CLONES
void spread_gradient(const Rows& rows, std::size_t width, const float* total_gradient,
                     const std::uint8_t* positive, std::size_t positive_stride, float* gradient) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* in = total_gradient + static_cast<std::size_t>(rows.receiver[r]) * width;
    const std::uint8_t* mark = positive + static_cast<std::size_t>(rows.pair[r]) * positive_stride;
    float* __restrict out = gradient + r * width;
    for (std::size_t k = 0; k < width; ++k) out[k] = mark[k] ? in[k] : 0.0f;
  }
}

GRAPH_LAYOUT_CLONES
void message_backward(const Rows& rows, const Projection& at, const float* hidden,
                      const float* bias, const float* back, float* spread,
                      float* projected_gradient, float* bias_gradient, float* weight_gradient,
                      std::size_t weight_stride) {
  const std::size_t width = at.width;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* h = hidden + r * width;
    const float* b = back + r * width;
    float* __restrict s = spread + r * width;
    float* from =
        projected_gradient + static_cast<std::size_t>(rows.sender[r]) * at.stride + at.sender;
    float* to =
        projected_gradient + static_cast<std::size_t>(rows.receiver[r]) * at.stride + at.receiver;
    const float weight = rows.weight[r];
    float through_hidden = 0, through_bias = 0;
#pragma omp simd reduction(+ : through_hidden, through_bias)
    for (std::size_t k = 0; k < width; ++k) {
      through_hidden += b[k] * h[k];
      through_bias += s[k] * bias[k];
      const float passed = h[k] > 0.0f ? weight * b[k] : 0.0f;
      from[k] += passed;
      to[k] += passed;
      s[k] *= weight;
      bias_gradient[k] += s[k];
    }
    weight_gradient[static_cast<std::size_t>(rows.pair[r]) * weight_stride] +=
        through_hidden + through_bias;
  }
}

GRAPH_LAYOUT_CLONES
void pair_elu(std::size_t nodes, const Projection& at, const float* projected, bool accumulate,
              float* out) {
  const std::size_t width = at.width;
  for (std::size_t i = 0; i < nodes; ++i) {
    const float* to = projected + i * at.stride + at.receiver;
    for (std::size_t j = 0; j < nodes; ++j) {
      if (j == i) continue;
      const float* from = projected + j * at.stride + at.sender;
      float* __restrict y = out;
      if (accumulate) {
        for (std::size_t k = 0; k < width; ++k) y[k] = elu(y[k] + from[k] + to[k]);
      } else {
        for (std::size_t k = 0; k < width; ++k) y[k] = elu(from[k] + to[k]);
      }
      out += width;
    }
  }
}

GRAPH_LAYOUT_CLONES
void pair_elu_backward(std::size_t nodes, const Projection& at, const float* out,
                       const float* gradient, float* passed, float* projected_gradient) {
  const std::size_t width = at.width;
  std::memset(projected_gradient, 0, nodes * at.stride * sizeof(float));
  for (std::size_t i = 0; i < nodes; ++i) {
    float* to = projected_gradient + i * at.stride + at.receiver;
    for (std::size_t j = 0; j < nodes; ++j) {
      if (j == i) continue;
      float* from = projected_gradient + j * at.stride + at.sender;
#pragma omp simd
      for (std::size_t k = 0; k < width; ++k) {
        const float value = gradient[k] * elu_slope(out[k]);
        passed[k] = value;
        from[k] += value;
        to[k] += value;
      }
      out += width;
      gradient += width;
      passed += width;
    }
  }
}

GRAPH_LAYOUT_CLONES
void bias_elu(std::size_t rows, std::size_t width, const float* bias, float* x) {
  for (std::size_t r = 0; r < rows; ++r) {
    float* __restrict y = x + r * width;
    for (std::size_t k = 0; k < width; ++k) y[k] = elu(y[k] + bias[k]);
  }
}

GRAPH_LAYOUT_CLONES
void bias_elu_backward(std::size_t rows, std::size_t width, const float* out, const float* gradient,
                       float* passed, float* bias_gradient) {
  for (std::size_t r = 0; r < rows; ++r) {
    const float *y = out + r * width, *g = gradient + r * width;
    float* __restrict to = passed + r * width;
    float* __restrict sum = bias_gradient;
    for (std::size_t k = 0; k < width; ++k) {
      to[k] = g[k] * elu_slope(y[k]);
      sum[k] += to[k];
    }
  }
}

}  // namespace graph_layout::kernels
