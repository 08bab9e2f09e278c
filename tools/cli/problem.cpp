#include "problem.hpp"

#include "error.hpp"
#include "names.hpp"

namespace softtricks::cli {
namespace {

const void* data_or_null(const Array& array) { return array.count() == 0 ? nullptr : array.data(); }

void expect_ok(const Status& status) {
  if (!status.ok()) throw Error(2, status.message());
}

}  // namespace

Array room_for_result(const Problem& problem) {
  const bool scalar = find_verb(problem.verb).scalar;
  return zeros(scalar ? problem.utility.leading() : problem.utility.dims, problem.utility.dtype());
}

Call call_of(const Problem& problem, Array& out) {
  Call call;
  call.verb = problem.verb;
  call.structure = problem.structure;
  call.shape = problem.shape;
  call.regularizer = problem.regularizer;
  call.temperature = problem.temperature;
  call.utility_range = problem.utility_range;
  call.dtype = problem.utility.dtype();
  call.batch = product(problem.utility.leading());
  call.utility = problem.utility.data();
  call.member = data_or_null(problem.member);
  call.cotangent = data_or_null(problem.cotangent);
  call.lengths = problem.lengths.empty() ? nullptr : problem.lengths.data();
  call.seed = problem.seed;
  call.out = out.data();
  call.executor = problem.executor;
  return call;
}

void run_or_refuse(const Call& call) { expect_ok(run(call)); }

Array result_of(const Problem& problem) {
  Array out = room_for_result(problem);
  run_or_refuse(call_of(problem, out));
  return out;
}

Array soft_sample_of(const Problem& problem) {
  Array out = zeros(problem.utility.dims, problem.utility.dtype());
  Call call = call_of(problem, out);
  call.verb = "relax";
  call.member = call.cotangent = nullptr;
  run_or_refuse(call);
  return out;
}

Array perturbed(const Array& theta, const std::string& perturbation, std::uint64_t seed,
                const Executor& executor) {
  Array out = zeros(theta.dims, theta.dtype());
  PerturbationCall call;
  call.verb = "sample";
  call.perturbation = perturbation;
  call.dtype = theta.dtype();
  call.batch = product(theta.leading());
  call.size = theta.width();
  call.theta = theta.data();
  call.seed = seed;
  call.out = out.data();
  call.executor = executor;
  expect_ok(run(call));
  return out;
}

}  // namespace softtricks::cli
