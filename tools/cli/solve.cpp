#include "solve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "error.hpp"
#include "files.hpp"
#include "names.hpp"
#include "numbers.hpp"
#include "options.hpp"
#include "problem.hpp"

namespace softtricks::cli {
namespace {

/// The verb that runs: a perturbation draws a hard sample by argmax instead of exactly.
std::string solved_verb(const Request& request) {
  const bool drawn_exactly = request.perturbation.empty();
  return request.verb == "sample" && !drawn_exactly ? "argmax" : request.verb;
}

/// Refuses an option that has no meaning here, and the lack of one that is needed.
void expect_use(const std::string& option, bool given, bool used, const std::string& who) {
  if (given && !used) refuse(option, "given, but " + who + " does not use it");
}

void expect_companion(const std::string& option, bool given, bool used, const std::string& verb) {
  expect_use(option, given, used, verb);
  if (used && !given) refuse(option, verb + " needs it: a file shaped as the input");
}

void check(const Request& request, const std::string& verb) {
  const Needs needs = needs_of(verb);
  const bool perturbed = !request.perturbation.empty();
  expect_companion("--member", !request.member.empty(), needs.member, verb);
  expect_companion("--cotangent", !request.cotangent.empty(), needs.cotangent, verb);
  expect_companion("--other", !request.other.empty(), needs.other, verb);
  expect_use("--temperature", request.temperature.has_value(), needs.relaxation, verb);
  expect_use("--regularizer", !request.regularizer.empty(), needs.relaxation, verb);
  expect_use("--utility-range", request.utility_range.has_value(), needs.relaxation, verb);
  const bool random = needs.seed || perturbed;
  expect_use("--seed", request.seed.has_value(), random, verb + " without --perturbation");
  expect_use("--parameters", !request.parameters.empty(), perturbed,
             verb + " without --perturbation");
  expect_use("--count", request.count.has_value(), random || needs.members,
             verb + " without --perturbation");
  if (needs.members && !request.count) refuse("--count", verb + " needs it: how many to list");
  const std::string* const paths[] = {&request.input,     &request.lengths, &request.member,
                                      &request.cotangent, &request.counts,  &request.other};
  if (std::ranges::count_if(paths, [](auto* path) { return *path == standard_stream; }) > 1) {
    refuse("INPUT", "'-' (standard input) can be read only once");
  }
  request.output.chosen_format();
}

Array read_utilities(const Request& request) {
  Array array = read_array(request.input, "INPUT");
  if (array.dims.empty()) refuse("INPUT", "is a single number; accepted: an array [..., size]");
  if (request.dtype.empty()) return array;
  return converted(std::move(array), dtype_of(request.dtype), "INPUT");
}

/// Reads an array that goes with the utilities: one row for each instance, or one for all.
Array read_companion(const std::string& path, const std::string& option, const Array& utility) {
  if (path.empty()) return {};
  Array array = converted(read_array(path, option), utility.dtype(), option);
  if (array.width() == utility.width()) {
    if (array.count() == utility.width()) array = repeated(array, product(utility.leading()));
    array.dims = array.count() == utility.count() ? utility.dims : array.dims;
  }
  if (array.dims != utility.dims) {
    refuse(option, "has the shape " + dims_text(array.dims) + "; accepted: the input's shape " +
                       dims_text(utility.dims) + ", or one row [" +
                       std::to_string(utility.width()) + "] for all instances");
  }
  return array;
}

/// Integers separated by commas; none if the text is something else, such as a file's name.
std::optional<std::vector<std::int64_t>> parse_list(std::string_view text) {
  std::vector<std::int64_t> list;
  while (true) {
    const auto stop = text.find(',');
    const auto number = parse_integer(text.substr(0, stop));
    if (!number) return std::nullopt;
    list.push_back(*number);
    if (stop == text.npos) return list;
    text.remove_prefix(stop + 1);
  }
}

std::vector<std::int64_t> read_integers(const std::string& path, const std::string& option) {
  const Array array = converted(read_array(path, option, true), Dtype::float64, option);
  std::vector<std::int64_t> integers;
  for (const double value : std::get<std::vector<double>>(array.values)) {
    if (value != std::floor(value) || std::abs(value) > 1e15) {
      refuse(option, "has the entry " + number_text(value) + "; accepted: integers");
    }
    integers.push_back(static_cast<std::int64_t>(value));
  }
  return integers;
}

/// One integer an instance, for --lengths and --counts.
std::vector<std::int64_t> read_each(const std::string& text, const std::string& option,
                                    std::int64_t batch) {
  if (text.empty()) return {};
  const auto listed = parse_list(text);
  std::vector<std::int64_t> integers = listed ? *listed : read_integers(text, option);
  if (integers.size() == 1) integers.resize(static_cast<std::size_t>(batch), integers[0]);
  if (static_cast<std::int64_t>(integers.size()) != batch) {
    refuse(option, "has " + std::to_string(integers.size()) +
                       " integers; accepted: one for each of the " + std::to_string(batch) +
                       " instances, or one for all");
  }
  return integers;
}

/// `count` draws of every instance: copies of it, each of which has its own stream.
void repeat(Problem& problem, std::int64_t count) {
  problem.utility = repeated(problem.utility, count);
  for (auto* const integers : {&problem.lengths, &problem.counts}) {
    const auto once = *integers;
    for (std::int64_t i = 1; i < count; ++i) {
      integers->insert(integers->end(), once.begin(), once.end());
    }
  }
}

/// The one asked for; else the default, or the only one there is.
std::string chosen_regularizer(const Request& request, const std::string& verb) {
  if (!request.regularizer.empty()) return request.regularizer;
  const auto offered = offered_regularizers(find_structure(request.structure).name, verb);
  return offered.size() == 1 ? offered[0] : Problem().regularizer;
}

/// All parameters of the perturbation, in order.
std::vector<double> parameters_of(const Request& request) {
  const auto laws = perturbations();
  const auto law = std::ranges::find(laws, request.perturbation, &PerturbationInfo::name);
  std::vector<double> values = law->defaults;
  for (const auto& [name, value] : request.parameters) {
    expect_one_of("--parameters", name, law->parameters);
    values[static_cast<std::size_t>(std::ranges::find(law->parameters, name) -
                                    law->parameters.begin())] = value;
  }
  return values;
}

Problem problem_of(const Request& request, const std::string& verb) {
  Problem problem;
  problem.verb = verb;
  problem.structure = request.structure;
  problem.regularizer = chosen_regularizer(request, verb);
  expect_offered(problem.structure, problem.verb, problem.regularizer);
  check(request, verb);

  problem.temperature = request.temperature.value_or(problem.temperature);
  problem.utility_range = request.utility_range.value_or(problem.utility_range);
  problem.seed = request.seed.value_or(0);
  problem.executor = executor_of(request.threads);
  problem.utility = read_utilities(request);
  problem.shape =
      resolve_shape(problem.structure, request.fields, problem.utility.width(), "INPUT");
  const std::int64_t batch = product(problem.utility.leading());
  problem.lengths = read_each(request.lengths, "--lengths", batch);
  problem.counts = read_each(request.counts, "--counts", batch);
  problem.member = read_companion(request.member, "--member", problem.utility);
  problem.cotangent = read_companion(request.cotangent, "--cotangent", problem.utility);
  problem.other = read_companion(request.other, "--other", problem.utility);
  if (needs_of(verb).members) {
    problem.members = *request.count;
  } else if (request.count) {
    repeat(problem, *request.count);
  }
  if (!request.perturbation.empty()) {
    problem.utility = perturbed(problem.utility, request.perturbation, parameters_of(request),
                                problem.seed, problem.executor);
  }
  if (needs_of(verb).soft_sample) problem.member = soft_sample_of(problem);
  return problem;
}

/// For each instance: does its row hold a NaN?
std::vector<bool> rows_with_nan(const Array& array, std::int64_t instances) {
  std::vector<bool> found(static_cast<std::size_t>(instances), false);
  std::visit(
      [&](const auto& values) {
        const std::size_t width = found.empty() ? 1 : values.size() / found.size();
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (std::isnan(values[i])) found[i / width] = true;
        }
      },
      array.values);
  return found;
}

void warn_of_nan(const Problem& problem, const Array& result) {
  const std::int64_t instances = product(problem.utility.leading());
  const auto spoiled = rows_with_nan(result, instances);
  const auto count = std::ranges::count(spoiled, true);
  if (count == 0) return;
  const auto given = std::ranges::count(rows_with_nan(problem.utility, instances), true);
  const auto first = std::ranges::find(spoiled, true) - spoiled.begin();
  std::fprintf(stderr,
               "softtricks: warning: the result of %td of %td instances is NaN, first of instance "
               "%td (counted from 0); %td of them have NaN among their utilities\n",
               count, static_cast<std::ptrdiff_t>(instances), first, given);
}

void solve(const Request& request) {
  const Problem problem = problem_of(request, solved_verb(request));
  const Array result = result_of(problem);
  warn_of_nan(problem, result);
  write_result(request.output, problem, request.verb, result);
}

/// What the three commands have in common.
std::shared_ptr<Request> add_request(CLI::App& command, const std::string& verb) {
  auto request = std::make_shared<Request>();
  request->verb = verb;
  if (verb.empty()) {
    command.add_option("VERB", request->verb, "one of " + joined(verb_names()))
        ->required()
        ->option_text(" ");
  }
  add_structure_and_input(command, *request);
  add_shape(command, request->fields,
            "the structure's shape; one field may be left out where the input's width tells it");
  add_execution(command, *request);
  add_output(command, request->output);
  command.callback([request] { solve(*request); });
  return request;
}

}  // namespace

void add_solve(CLI::App& app) {
  CLI::App* const command =
      add_command(app, "solve", "Any verb on arrays of utilities",
                  "printf '3 1 2\\n' | softtricks solve marginals spanning_tree --nodes 3");
  const auto request = add_request(*command, "");
  command->add_option("--member", request->member, "log_prob: the members, shaped as the input")
      ->option_text("FILE");
  command
      ->add_option("--cotangent", request->cotangent,
                   "verbs that end in _vjp: the cotangents, shaped as the input")
      ->option_text("FILE");
  command
      ->add_option("--other", request->other,
                   "cross_entropy, kl: the second law's utilities, shaped as the input")
      ->option_text("FILE");
  add_relaxation(*command, *request);
  add_seed(*command, *request);
  add_count(*command, *request,
            "k_best, active_set: how many members to list, each behind its u.x or weight");
}

void add_sample(CLI::App& app) {
  CLI::App* const command = add_command(
      app, "sample", "Hard samples: exact Gibbs draws, or the argmax of perturbed utilities",
      "printf '0 0 0 0\\n' | softtricks sample k_subset --k 2 --count 5 --seed 1");
  add_perturbation(*command, *add_request(*command, "sample"));
}

void add_relax(CLI::App& app) {
  CLI::App* const command =
      add_command(app, "relax", "Soft samples: relaxed argmax at a temperature",
                  "printf '3 1 2\\n' | softtricks relax one_hot --temperature 0.5 "
                  "--perturbation gumbel --seed 1");
  const auto request = add_request(*command, "relax");
  add_relaxation(*command, *request);
  add_perturbation(*command, *request);
}

}  // namespace softtricks::cli
