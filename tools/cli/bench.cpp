#include "bench.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <limits>
#include <random>

#include "error.hpp"
#include "names.hpp"

namespace softtricks::cli {
namespace {

constexpr int typical_shapes = 3;

/// A small, a middle and a large value of a field, by its name.
std::int64_t typical_value(const std::string& field, int which) {
  using Values = std::array<std::int64_t, typical_shapes>;
  static const std::map<std::string, Values> typical{
      {"nodes", {10, 30, 100}},  {"items", {16, 64, 350}},  {"k", {4, 8, 10}},
      {"least", {2, 4, 5}},      {"most", {4, 8, 10}},      {"categories", {10, 128, 1000}},
      {"bits", {10, 128, 1000}}, {"length", {10, 50, 100}}, {"states", {5, 10, 20}}};
  static const Values elsewhere{8, 16, 64};
  const auto entry = typical.find(field);
  return (entry == typical.end() ? elsewhere : entry->second)[static_cast<std::size_t>(which)];
}

/// The one shape that the given fields make, none if they don't; typical ones if none is given.
std::vector<std::vector<std::int64_t>> shapes_of(const StructureInfo& structure,
                                                 const Fields& given) {
  std::vector<std::vector<std::int64_t>> shapes;
  if (!given.empty()) {
    const auto shape = shape_from(structure, given);
    if (shape) shapes.push_back(*shape);
    return shapes;
  }
  for (int which = 0; which < typical_shapes; ++which) {
    auto& shape = shapes.emplace_back();
    for (std::size_t f = 0; f < structure.fields.size(); ++f) {
      shape.push_back(structure.defaults[f].value_or(typical_value(structure.fields[f], which)));
    }
  }
  return shapes;
}

std::int64_t checked_size(const std::string& structure, const std::vector<std::int64_t>& shape) {
  std::int64_t size = 0;
  const Status status = size_of(structure, shape, size);
  if (!status.ok()) refuse("--shape", status.message());
  return size;
}

bool wanted(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::ranges::count(names, name) > 0;
}

/// A power of two with which a batch has some 32 thousand utilities.
std::int64_t typical_batch(std::int64_t size) {
  const auto instances = static_cast<std::uint64_t>(32768 / std::max<std::int64_t>(1, size));
  return static_cast<std::int64_t>(std::bit_floor(std::clamp<std::uint64_t>(instances, 16, 1024)));
}

std::vector<std::string> regularizers_to_time(const BenchCase& common, const std::string& verb) {
  auto offered = offered_regularizers(common.structure, verb);
  std::erase_if(offered,
                [&](const auto& r) { return !offers(common.structure, verb, r, common.shape); });
  if (!offered.empty() && !needs_of(verb).relaxation) offered = {""};
  return offered;
}

Array random_normal(Dims dims, Dtype dtype, unsigned seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<double> normal;
  Array array = zeros(std::move(dims), dtype);
  std::visit(
      [&](auto& values) {
        for (auto& value : values) {
          value = static_cast<std::decay_t<decltype(value)>>(normal(bits));
        }
      },
      array.values);
  return array;
}

}  // namespace

std::vector<BenchCase> typical_cases(const BenchOptions& options) {
  std::vector<BenchCase> cases;
  const auto add = [&](const BenchCase& common, const std::string& dtype) {
    for (const auto& verb : verb_names()) {
      if (!wanted(options.verbs, verb)) continue;
      for (const auto& regularizer : regularizers_to_time(common, verb)) {
        BenchCase& entry = cases.emplace_back(common);
        entry.verb = verb;
        entry.regularizer = regularizer;
        entry.dtype = dtype_of(dtype);
      }
    }
  };
  for (const auto& structure : structures()) {
    if (!wanted(options.structures, structure.name)) continue;
    for (const auto& shape : shapes_of(structure, options.fields)) {
      BenchCase common;
      common.temperature = options.temperature.value_or(common.temperature);
      common.structure = structure.name;
      common.shape = shape;
      const std::int64_t size = checked_size(structure.name, shape);
      common.batch = options.batch > 0 ? options.batch : typical_batch(size);
      for (const auto& dtype : dtype_names()) {
        if (wanted(options.dtypes, dtype)) add(common, dtype);
      }
    }
  }
  return cases;
}

BenchRun::BenchRun(const BenchCase& bench_case, const Executor& executor) {
  const Dims dims{bench_case.batch, checked_size(bench_case.structure, bench_case.shape)};
  problem_.verb = bench_case.verb;
  problem_.structure = bench_case.structure;
  problem_.shape = bench_case.shape;
  if (!bench_case.regularizer.empty()) problem_.regularizer = bench_case.regularizer;
  problem_.temperature = bench_case.temperature;
  problem_.executor = executor;
  problem_.utility = random_normal(dims, bench_case.dtype, 1);
  const Needs needs = needs_of(bench_case.verb);
  if (needs.cotangent) problem_.cotangent = random_normal(dims, bench_case.dtype, 2);
  if (needs.soft_sample) problem_.member = soft_sample_of(problem_);
  if (needs.member) {
    Problem hardest = problem_;
    hardest.verb = "argmax";
    problem_.member = result_of(hardest);
  }
  if (needs.other) problem_.other = random_normal(dims, bench_case.dtype, 3);
  if (needs.members) problem_.members = 8;
  room_ = Room(problem_);
}

std::vector<double> fastest_seconds(const std::vector<std::function<void()>>& works, int rounds,
                                    const std::function<void(int)>& after_round) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> fastest(works.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const auto start = Clock::now();
      works[i]();
      const std::chrono::duration<double> seconds = Clock::now() - start;
      fastest[i] = std::min(fastest[i], seconds.count());
    }
    if (after_round) after_round(round + 1);
  }
  return fastest;
}

std::vector<double> microseconds_an_instance(const std::vector<BenchCase>& cases,
                                             const Executor& executor, int rounds,
                                             const std::function<void(int)>& after_round) {
  std::vector<std::function<void()>> works;
  works.reserve(cases.size());
  for (const auto& bench_case : cases) works.emplace_back(BenchRun(bench_case, executor));
  auto times = fastest_seconds(works, rounds, after_round);
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i] *= 1e6 / static_cast<double>(cases[i].batch);
  }
  return times;
}

}  // namespace softtricks::cli
