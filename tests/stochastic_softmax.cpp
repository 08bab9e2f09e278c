#include "softtricks/stochastic_softmax.hpp"

#include "laws/estimator.hpp"
#include "softtricks/registry.hpp"

namespace softtricks::laws {
namespace {

/// U, hard and soft samples of single instances are those of `run` on a batch, draw for draw.
template <class T, class Perturbation>
void check_same_as_batch(double tolerance, const Perturbation& law = {},
                         const std::vector<double>& parameters = {}) {
  using Trick = StochasticSoftmax<SpanningTree, Perturbation, GibbsEntropy>;
  const Trick trick{SpanningTree{9}, 0.5, law};
  const int size = trick.size(), batch = 20;
  std::vector<T> theta(static_cast<std::size_t>(batch * size)), utility(theta.size()),
      hard(theta.size()), soft(theta.size());
  for (std::size_t i = 0; i < theta.size(); ++i) theta[i] = T(std::sin(double(i)));

  PerturbationCall draw;
  draw.verb = "sample";
  draw.perturbation = Perturbation::name;
  draw.parameters = parameters;
  draw.dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
  draw.batch = batch;
  draw.size = size;
  draw.theta = theta.data();
  draw.seed = 99;
  draw.first_instance = 7;
  draw.out = utility.data();
  ASSERT_TRUE(run(draw).ok());

  Call call;
  call.structure = "spanning_tree";
  call.shape = {9};
  call.dtype = draw.dtype;
  call.batch = batch;
  call.utility = utility.data();
  call.temperature = trick.temperature;
  call.verb = "argmax";
  call.out = hard.data();
  ASSERT_TRUE(run(call).ok());
  call.verb = "relax";
  call.out = soft.data();
  ASSERT_TRUE(run(call).ok());

  std::vector<char> memory(trick.template scratch<T>() + Scratch::alignment);
  const auto place = reinterpret_cast<std::uintptr_t>(memory.data()) % Scratch::alignment;
  const Scratch scratch(memory.data() + (Scratch::alignment - place));
  std::vector<T> u(static_cast<std::size_t>(size)), x(u.size());
  const Vector<T> u_view{u.data(), size}, x_view{x.data(), size};
  for (int b = 0; b < batch; ++b) {
    const std::size_t row = static_cast<std::size_t>(b * size);
    trick.perturb(Serial(), Vector<const T>{theta.data() + row, size}, 99,
                  static_cast<std::uint64_t>(7 + b), u_view);
    for (std::size_t e = 0; e < u.size(); ++e) {
      EXPECT_NEAR(u[e], utility[row + e], tolerance * (1 + std::fabs(double(u[e]))));
    }
    trick.hard(Serial(), u_view.view(), x_view, scratch);
    for (std::size_t e = 0; e < x.size(); ++e) EXPECT_EQ(x[e], hard[row + e]);
    trick.soft(Serial(), u_view.view(), x_view, scratch);
    for (std::size_t e = 0; e < x.size(); ++e) EXPECT_NEAR(x[e], soft[row + e], 40 * tolerance);
  }
}

TEST(StochasticSoftmax, IsTheBatchOneByOne) {
  check_same_as_batch<float, Gumbel>(4e-7);
  check_same_as_batch<double, Gumbel>(2e-15);
  check_same_as_batch<float, Logistic>(4e-7);
  check_same_as_batch<double, Exponential>(2e-15);
  check_same_as_batch<double, Normal>(2e-15);
  check_same_as_batch<double, Normal>(4e-15, {.scale = 2}, {2});
  check_same_as_batch<double, NegativeExponential>(2e-15);
  check_same_as_batch<float, SumOfGamma>(2e-6, {.k = 3, .terms = 20}, {3, 1, 20});
  check_same_as_batch<double, SumOfGamma>(4e-15, {.k = 8, .scale = 0.5}, {8, 0.5});
}

/// Utilities of several thetas from one noise, which is that of `perturb`.
TEST(StochasticSoftmax, NoiseIsShared) {
  const StochasticSoftmax<OneHot, Gumbel, GibbsEntropy> trick{OneHot{5}, 1, {.scale = 0.5}};
  const std::vector<double> theta{1, 2, 3, -1, 0}, zero(5);
  std::vector<double> noise(5), moved(5), still(5), drawn(5);
  const auto of = [](const std::vector<double>& x) { return Vector<const double>{x.data(), 5}; };
  const auto into = [](std::vector<double>& x) { return Vector<double>{x.data(), 5}; };
  trick.noise(Serial(), 3, 4, into(noise));
  trick.transform(Serial(), of(theta), of(noise), into(moved));
  trick.transform(Serial(), of(zero), of(noise), into(still));
  trick.perturb(Serial(), of(theta), 3, 4, into(drawn));
  EXPECT_EQ(moved, drawn);
  for (std::size_t e = 0; e < 5; ++e) {
    EXPECT_EQ(still[e], 0.5 * noise[e]);
    EXPECT_NEAR(moved[e] - still[e], theta[e], 1e-14);
  }
}

}  // namespace
}  // namespace softtricks::laws
