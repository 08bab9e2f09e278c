/// `run` for perturbations: checks a call once, finds its kernel and cuts the rows into pieces.
#include <algorithm>
#include <string>

#include "calls.hpp"
#include "softtricks/base/parameters.hpp"

namespace softtricks {
namespace {

/// The names of PerturbationVerb, in its order.
constexpr std::string_view perturbation_verb_names[] = {
    "sample",   "sample_vjp",   "noise", "transform", "transform_vjp",
    "log_prob", "log_prob_vjp", "kl",    "kl_vjp"};
static_assert(std::size(perturbation_verb_names) == perturbation_verbs);

std::vector<std::string> perturbation_verbs_of(int place) {
  std::vector<std::string> offered;
  for (int verb = 0; verb < perturbation_verbs; ++verb) {
    if (kernels().perturbation[place][verb][0] != nullptr) {
      offered.emplace_back(perturbation_verb_names[verb]);
    }
  }
  return offered;
}

/// Fills in the defaults of the parameters that are left out, and checks them.
template <class P>
Status complete(const std::vector<double>& given, double* parameters) {
  constexpr std::size_t count = parameter_count<P>();
  static_assert(count <= std::size(PerturbationArguments{}.parameters));
  if (given.size() > count) {
    return Status::error(std::string(P::name) + ": has " + std::to_string(count) +
                         " parameter(s), got " + std::to_string(given.size()));
  }
  if constexpr (count > 0) {
    for (std::size_t i = 0; i < count; ++i) {
      parameters[i] = i < given.size() ? given[i] : parameter_default<P>(i);
    }
  }
  return make_perturbation<P>(parameters).check();
}

/// Finds a perturbation and completes its parameters.
Status describe(const PerturbationCall& call, int& place, double* parameters) {
  place = place_of<Perturbations>(call.perturbation);
  if (place < 0) {
    return Status::error("perturbation " + quoted(call.perturbation) +
                         " is unknown; offered: " + join(names_of<Perturbations>()));
  }
  Status status;
  Perturbations::for_each([&]<class P>() {
    if (call.perturbation == P::name) status = complete<P>(call.parameters, parameters);
  });
  return status;
}

Status find_verb(const PerturbationCall& call, int place, int& verb) {
  const auto* const named =
      std::find(std::begin(perturbation_verb_names), std::end(perturbation_verb_names), call.verb);
  const std::string offered = join(perturbation_verbs_of(place));
  if (named == std::end(perturbation_verb_names)) {
    return Status::error("verb " + quoted(call.verb) + " is unknown; offered: " + offered);
  }
  verb = static_cast<int>(named - perturbation_verb_names);
  if (kernels().perturbation[place][verb][0] != nullptr) return {};
  std::string why;
  Perturbations::for_each([&]<class P>() {
    if constexpr (requires { P::why_absent; }) {
      if (call.perturbation == P::name) why = std::string(" (") + P::why_absent + ")";
    }
  });
  return Status::error(std::string(call.perturbation) + " does not offer " +
                       std::string(call.verb) + why + "; it offers: " + offered);
}

Status check_arrays(const PerturbationCall& call, int verb) {
  const bool draws = verb == draw || verb == draw_noise;
  const bool pulls_back = call.verb.ends_with("_vjp");
  if (verb != draw_noise && call.theta == nullptr) return Status::error("theta is missing");
  if (call.out == nullptr) return Status::error("out is missing");
  if (!draws && call.value == nullptr) return Status::error("value is missing");
  if (pulls_back && call.cotangent == nullptr) return Status::error("cotangent is missing");
  if (pulls_back && verb != draw_vjp && call.out_value == nullptr) {
    return Status::error("out_value is missing");
  }
  return {};
}

}  // namespace

Status run(const PerturbationCall& call) {
  int place = -1;
  PerturbationArguments arguments{};
  if (Status s = describe(call, place, arguments.parameters); !s) return s;
  int verb = -1;
  if (Status s = find_verb(call, place, verb); !s) return s;
  if (call.batch < 0 || call.size < 0) {
    return Status::error("batch and size must not be negative");
  }
  if (call.batch == 0 || call.size == 0) return {};
  if (Status s = check_arrays(call, verb); !s) return s;
  arguments.size = call.size;
  arguments.theta = call.theta;
  // `draw` reads no values: theta stands in, so that kernels need not ask.
  arguments.value = call.value != nullptr ? call.value : call.theta;
  arguments.cotangent = call.cotangent;
  arguments.seed = call.seed;
  arguments.first_instance = call.first_instance;
  arguments.out = call.out;
  arguments.out_value = call.out_value;
  const PerturbationKernel kernel =
      kernels().perturbation[place][verb][call.dtype == Dtype::float64 ? 1 : 0];
  auto body = [&](std::int64_t begin, std::int64_t end) { kernel(arguments, begin, end); };
  call.executor.for_each_range(call.batch, grain_for(call.size * 16), body);
  return {};
}

std::vector<PerturbationInfo> perturbations() {
  std::vector<PerturbationInfo> all;
  Perturbations::for_each([&]<class P>() {
    PerturbationInfo info{P::name, {}, {}, {}};
    if constexpr (parameter_count<P>() > 0) {
      info.parameters.assign(std::begin(P::parameter_names), std::end(P::parameter_names));
      for (std::size_t i = 0; i < info.parameters.size(); ++i) {
        info.defaults.push_back(parameter_default<P>(i));
      }
    }
    info.verbs = perturbation_verbs_of(static_cast<int>(all.size()));
    all.push_back(std::move(info));
  });
  return all;
}

}  // namespace softtricks
