/// What Python asks while it traces, when there are no numbers yet: plain C functions. An answer
/// that is text lives until the thread asks again.
#include <cstdint>
#include <string>

#include "softtricks/registry.hpp"

namespace {

const char* answer(std::string text) {
  thread_local std::string kept;
  kept = std::move(text);
  return kept.c_str();
}

/// Null where all is well.
const char* answer(const softtricks::Status& status) {
  return status.ok() ? nullptr : answer(status.message());
}

}  // namespace

#define SOFTTRICKS_EXPORT extern "C" __attribute__((visibility("default")))

/// Would a call of the verb be refused, whatever its numbers are?
SOFTTRICKS_EXPORT const char* softtricks_refuses(const char* verb, const char* structure,
                                                 const std::int64_t* shape, std::int64_t fields,
                                                 const char* regularizer, double temperature,
                                                 double utility_range, std::int64_t members,
                                                 bool counts, bool wide) {
  const std::int64_t none = 0;
  softtricks::Call call;
  call.verb = verb;
  call.structure = structure;
  call.shape.assign(shape, shape + fields);
  call.regularizer = regularizer;
  call.temperature = temperature;
  call.utility_range = utility_range;
  call.members = members;
  call.counts = counts ? &none : nullptr;
  call.dtype = wide ? softtricks::Dtype::float64 : softtricks::Dtype::float32;
  return answer(softtricks::run(call));
}

SOFTTRICKS_EXPORT const char* softtricks_law_refuses(const char* verb, const char* perturbation,
                                                     const double* parameters, std::int64_t count) {
  softtricks::PerturbationCall call;
  call.verb = verb;
  call.perturbation = perturbation;
  call.parameters.assign(parameters, parameters + count);
  return answer(softtricks::run(call));
}
