/// Calls that make no sense: `run` says what is wrong with them, what was given and what is
/// offered, and writes nothing.
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "softtricks/registry.hpp"

namespace softtricks {
namespace {

struct Arrays {
  std::vector<float> utility = std::vector<float>(30, 0.5f), member = std::vector<float>(30, 0.5f),
                     cotangent = std::vector<float>(30, 1.0f), out = std::vector<float>(30, -7.0f),
                     out_value = std::vector<float>(30, -7.0f);
  std::vector<std::int64_t> lengths{4, 4, 4};
};

Call good_call(Arrays& arrays) {
  Call call;
  call.verb = "relax_vjp";
  call.structure = "k_subset";
  call.shape = {10, 3};
  call.batch = 3;
  call.utility = arrays.utility.data();
  call.member = arrays.member.data();
  call.cotangent = arrays.cotangent.data();
  call.lengths = arrays.lengths.data();
  call.out = arrays.out.data();
  return call;
}

/// The good call, spoilt by `spoil`, is refused with all of `words`.
void expect_refused(const std::function<void(Call&, Arrays&)>& spoil,
                    const std::vector<std::string>& words) {
  Arrays arrays;
  Call call = good_call(arrays);
  spoil(call, arrays);
  const Status status = run(call);
  ASSERT_FALSE(status.ok()) << words.front();
  for (const std::string& word : words) {
    EXPECT_NE(status.message().find(word), std::string::npos)
        << "'" << status.message() << "' does not say '" << word << "'";
  }
  EXPECT_EQ(arrays.out, Arrays().out) << status.message();
}

TEST(BadCalls, TheGoodCallIsGood) {
  Arrays arrays;
  const Status status = run(good_call(arrays));
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_NE(arrays.out, Arrays().out);
}

TEST(BadCalls, UnknownNames) {
  expect_refused([](Call& c, Arrays&) { c.verb = "maximum"; },
                 {"verb", "'maximum'", "argmax", "log_partition", "relax_vjp"});
  expect_refused([](Call& c, Arrays&) { c.structure = "tree"; },
                 {"structure", "'tree'", "one_hot", "bit_vector", "k_subset", "spanning_tree"});
  expect_refused([](Call& c, Arrays&) { c.regularizer = "entropy"; },
                 {"regularizer", "'entropy'", "gibbs_entropy", "squared_norm"});
  expect_refused([](Call& c, Arrays&) { c.verb = ""; }, {"verb"});
}

TEST(BadCalls, WhatAStructureDoesNotOffer) {
  for (const char* regularizer : {"binary_entropy", "shannon_entropy"}) {
    expect_refused(
        [&](Call& c, Arrays&) {
          c.structure = "grid_path";
          c.shape = {2, 3};
          c.verb = "relax";
          c.regularizer = regularizer;
        },
        {"grid_path", regularizer, "offers", "marginals", "relax with gibbs_entropy"});
  }
}

TEST(BadCalls, Shapes) {
  expect_refused([](Call& c, Arrays&) { c.shape = {10}; }, {"k_subset", "items, k", "1"});
  expect_refused([](Call& c, Arrays&) { c.shape = {10, 3, 1}; }, {"k_subset", "items, k", "3"});
  expect_refused([](Call& c, Arrays&) { c.shape = {}; }, {"k_subset", "0"});
  expect_refused([](Call& c, Arrays&) { c.shape = {10, 11}; }, {"k_subset", "k", "10", "11"});
  expect_refused([](Call& c, Arrays&) { c.shape = {10, 0}; }, {"k_subset", "k", "0"});
  expect_refused([](Call& c, Arrays&) { c.shape = {10, -3}; }, {"k_subset", "k", "-3"});
  expect_refused([](Call& c, Arrays&) { c.shape = {0, 0}; }, {"k_subset", "items", "0"});
  expect_refused(
      [](Call& c, Arrays&) {
        c.shape = {std::int64_t{1} << 40, 3};
      },
      {"k_subset", "items", "1099511627776"});
  for (const std::int64_t nodes : {1, 0, -5, 100000}) {
    expect_refused(
        [&](Call& c, Arrays&) {
          c.structure = "spanning_tree";
          c.shape = {nodes};
        },
        {"spanning_tree", "nodes", std::to_string(nodes)});
  }
  for (const auto& [structure, field] :
       {std::pair{"one_hot", "categories"}, {"bit_vector", "bits"}}) {
    expect_refused(
        [&, &name = structure](Call& c, Arrays&) {
          c.structure = name;
          c.shape = {0};
        },
        {structure, field, "0"});
  }
}

TEST(BadCalls, Temperatures) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double t : {0.0, -1.0, -inf, inf, std::numeric_limits<double>::quiet_NaN()}) {
    expect_refused([&](Call& c, Arrays&) { c.temperature = t; },
                   {"temperature", "positive", std::to_string(t)});
  }
  for (const double r : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    expect_refused([&](Call& c, Arrays&) { c.utility_range = r; },
                   {"utility_range", "positive", std::to_string(r)});
  }
  // A temperature that is none in the arrays' own type.
  for (const double t : {1e-60, 1e60}) {
    expect_refused([&](Call& c, Arrays&) { c.temperature = t; }, {"temperature"});
  }
}

TEST(BadCalls, Arrays) {
  expect_refused([](Call& c, Arrays&) { c.utility = nullptr; }, {"utility", "missing"});
  expect_refused([](Call& c, Arrays&) { c.member = nullptr; }, {"relax_vjp", "member"});
  expect_refused([](Call& c, Arrays&) { c.cotangent = nullptr; }, {"relax_vjp", "cotangent"});
  expect_refused([](Call& c, Arrays&) { c.batch = -1; }, {"batch", "-1"});
  Arrays arrays;
  Call call = good_call(arrays);
  call.out = nullptr;
  const Status status = run(call);
  EXPECT_NE(status.message().find("out"), std::string::npos);
}

TEST(BadCalls, Lengths) {
  for (const std::int64_t length : {0, -1, 11}) {
    expect_refused([&](Call&, Arrays& arrays) { arrays.lengths[1] = length; },
                   {"lengths", "[1, 10]", std::to_string(length), "instance 1"});
  }
}

TEST(BadCalls, NothingToDoNeedsNoArrays) {
  Call call;
  call.verb = "marginals";
  call.structure = "spanning_tree";
  call.shape = {4};
  EXPECT_TRUE(run(call).ok());
  call.shape = {1};
  EXPECT_FALSE(run(call).ok()) << "an empty batch of nonsense";
}

TEST(BadCalls, Perturbations) {
  const auto expect = [](const std::function<void(PerturbationCall&)>& spoil,
                         const std::vector<std::string>& words) {
    Arrays arrays;
    PerturbationCall call;
    call.verb = "kl_vjp";
    call.perturbation = "gumbel";
    call.batch = 3;
    call.size = 10;
    call.theta = arrays.utility.data();
    call.value = arrays.member.data();
    call.cotangent = arrays.cotangent.data();
    call.out = arrays.out.data();
    call.out_value = arrays.out_value.data();
    spoil(call);
    const Status status = run(call);
    ASSERT_EQ(status.ok(), words.empty()) << status.message();
    for (const std::string& word : words) {
      EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
    }
    EXPECT_EQ(arrays.out == Arrays().out, !words.empty());
  };
  expect([](PerturbationCall&) {}, {});
  expect([](PerturbationCall& c) { c.perturbation = "cauchy"; },
         {"perturbation", "'cauchy'", "gumbel", "logistic", "exponential", "normal"});
  expect([](PerturbationCall& c) { c.verb = "cdf"; },
         {"verb", "'cdf'", "sample", "log_prob", "kl"});
  expect([](PerturbationCall& c) { c.perturbation = "sum_of_gamma"; },
         {"sum_of_gamma", "does not offer kl_vjp", "support", "noise, transform"});
  const auto with = [](const char* law, std::vector<double> parameters) {
    return [=](PerturbationCall& c) {
      c.verb = "transform_vjp";
      c.perturbation = law;
      c.parameters = parameters;
    };
  };
  expect(with("normal", {2}), {});
  expect(with("sum_of_gamma", {5}), {});
  expect(with("normal", {0}), {"normal", "scale", "0.000000"});
  expect(with("normal", {NAN}), {"normal", "scale", "nan"});
  expect(with("gumbel", {1, 2}), {"gumbel", "1 parameter", "got 2"});
  expect(with("exponential", {1}), {"exponential", "0 parameter", "got 1"});
  expect(with("sum_of_gamma", {0.5}), {"sum_of_gamma", "k", "from 1", "0.5"});
  expect(with("sum_of_gamma", {2, -1}), {"scale", "-1"});
  expect(with("sum_of_gamma", {2, 1, 2.5}), {"terms", "whole", "2.5"});
  expect([](PerturbationCall& c) { c.theta = nullptr; }, {"theta"});
  expect([](PerturbationCall& c) { c.value = nullptr; }, {"value"});
  expect([](PerturbationCall& c) { c.cotangent = nullptr; }, {"cotangent"});
  expect([](PerturbationCall& c) { c.out = nullptr; }, {"out"});
  expect([](PerturbationCall& c) { c.out_value = nullptr; }, {"out_value"});
  expect([](PerturbationCall& c) { c.batch = -2; }, {"batch"});
  expect([](PerturbationCall& c) { c.size = -2; }, {"size"});
}

}  // namespace
}  // namespace softtricks
