#include "problem.hpp"

#include "error.hpp"
#include "names.hpp"

namespace softtricks::cli {
namespace {

const void* data_or_null(const Array& array) { return array.count() == 0 ? nullptr : array.data(); }

void expect_ok(const Status& status) {
  if (!status.ok()) throw Error(2, status.message());
}

/// [..., members, 1 + size]: each member behind its number.
Array with_numbers(const Room& room) {
  Array all = room.out;
  all.dims.back() += 1;
  const auto width = static_cast<std::ptrdiff_t>(room.out.width());
  std::visit(
      [&](auto& values) {
        using Values = std::decay_t<decltype(values)>;
        const auto& rows = std::get<Values>(room.out.values);
        Values joined;
        auto next = rows.begin();
        for (const auto number : std::get<Values>(room.value.values)) {
          joined.push_back(number);
          joined.insert(joined.end(), next, next + width);
          next += width;
        }
        values = std::move(joined);
      },
      all.values);
  return all;
}

}  // namespace

Room::Room(const Problem& problem) {
  const Dtype dtype = problem.utility.dtype();
  const Result result = find_verb(problem.verb).result;
  Dims dims = problem.utility.dims;
  if (result != Result::entries) dims = problem.utility.leading();
  if (result == Result::members) {
    dims.push_back(problem.members);
    value = zeros(dims, dtype);
    dims.push_back(problem.utility.width());
  }
  out = zeros(dims, dtype);
}

Call call_of(const Problem& problem, Room& room) {
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
  call.other = data_or_null(problem.other);
  call.lengths = problem.lengths.empty() ? nullptr : problem.lengths.data();
  call.counts = problem.counts.empty() ? nullptr : problem.counts.data();
  call.seed = problem.seed;
  call.members = problem.members;
  call.out = room.out.data();
  if (room.value.count() > 0) call.out_value = room.value.data();
  call.executor = problem.executor;
  return call;
}

void run_or_refuse(const Call& call) { expect_ok(run(call)); }

Array result_of(const Problem& problem) {
  Room room(problem);
  run_or_refuse(call_of(problem, room));
  return room.value.count() > 0 ? with_numbers(room) : room.out;
}

Array soft_sample_of(const Problem& problem) {
  Problem forward = problem;
  forward.verb = "relax";
  forward.member = forward.cotangent = {};
  return result_of(forward);
}

Array perturbed(const Array& theta, const std::string& perturbation,
                const std::vector<double>& parameters, std::uint64_t seed,
                const Executor& executor) {
  Array out = zeros(theta.dims, theta.dtype());
  PerturbationCall call;
  call.verb = "sample";
  call.perturbation = perturbation;
  call.parameters = parameters;
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
