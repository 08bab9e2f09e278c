#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "output.hpp"
#include "shape.hpp"

namespace softtricks::cli {

/// What the user asked for with `solve`, `sample` or `relax`.
struct Request {
  std::string verb, structure;
  std::string input = "-";
  Fields fields;
  std::string lengths, counts, member, cotangent, other;  // empty: not given
  std::string dtype;                                      // empty: the input's own
  int threads = 0;                                        // 0: one a core
  std::optional<std::uint64_t> seed;
  std::optional<std::int64_t> count;
  std::string perturbation;                  // empty: none
  std::map<std::string, double> parameters;  // of the perturbation, those that were given
  std::optional<double> temperature, utility_range;
  std::string regularizer;
  Output output;
};

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example);

/// Options whose value is an integer from `least` to `most`, a number, or one of some names. An
/// error tells the option, the value and what is accepted.
void add_integer(CLI::App& command, const std::string& flag, std::int64_t least, std::int64_t most,
                 const std::function<void(std::int64_t)>& store, const std::string& meaning);
void add_number(CLI::App& command, const std::string& flag, std::optional<double>& number,
                const std::string& meaning);
void add_choice(CLI::App& command, const std::string& flag, std::string& choice,
                const std::vector<std::string>& accepted, const std::string& meaning);
void add_choices(CLI::App& command, const std::string& flag, std::vector<std::string>& choices,
                 const std::vector<std::string>& accepted, const std::string& meaning);

/// --shape, and one option for every field that a structure of the registry has.
void add_shape(CLI::App& command, Fields& fields, const std::string& meaning);
void add_structure_and_input(CLI::App& command, Request& request);
void add_execution(CLI::App& command, Request& request);
void add_output(CLI::App& command, Output& output);
void add_relaxation(CLI::App& command, Request& request);
/// --count: how many draws, or members.
void add_count(CLI::App& command, Request& request, const std::string& meaning);
void add_seed(CLI::App& command, Request& request);
void add_perturbation(CLI::App& command, Request& request);
void add_threads(CLI::App& command, int& threads, const std::string& meaning);

/// The library's own pool; 0 threads: one a core.
Executor executor_of(int threads);

}  // namespace softtricks::cli
