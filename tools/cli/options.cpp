#include "options.hpp"

#include <limits>
#include <thread>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "error.hpp"
#include "names.hpp"
#include "numbers.hpp"

namespace softtricks::cli {
namespace {

/// The structures whose shape has a field.
std::vector<std::string> owners_of(const std::string& field) {
  std::vector<std::string> owners;
  for (const auto& structure : structures()) {
    for (const auto& own : structure.fields) {
      if (own == field) owners.push_back(structure.name);
    }
  }
  return owners;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const auto stop = text.find(',');
    parts.emplace_back(text.substr(0, stop));
    if (stop == text.npos) return parts;
    text.remove_prefix(stop + 1);
  }
}

void add_text(CLI::App& command, const std::string& flag, const std::string& placeholder,
              const std::function<void(const std::string&)>& store, const std::string& meaning) {
  command.add_option_function<std::string>(flag, store, meaning)->option_text(placeholder);
}

}  // namespace

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App* const command = app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  return command;
}

void add_integer(CLI::App& command, const std::string& flag, std::int64_t least, std::int64_t most,
                 const std::function<void(std::int64_t)>& store, const std::string& meaning) {
  const auto parse = [=](const std::string& text) {
    const auto value = parse_integer(text);
    if (value && *value >= least && *value <= most) return store(*value);
    refuse(flag, "got " + quoted(text) + "; accepted: integers from " + std::to_string(least) +
                     " to " + std::to_string(most));
  };
  add_text(command, flag, "INTEGER", parse, meaning);
}

void add_number(CLI::App& command, const std::string& flag, std::optional<double>& number,
                const std::string& meaning) {
  const auto parse = [&number, flag](const std::string& text) {
    number = parse_number(text);
    if (!number) refuse(flag, "got " + quoted(text) + "; accepted: a number");
  };
  add_text(command, flag, "NUMBER", parse, meaning);
}

void add_choice(CLI::App& command, const std::string& flag, std::string& choice,
                const std::vector<std::string>& accepted, const std::string& meaning) {
  const auto choose = [&choice, flag, accepted](const std::string& text) {
    expect_one_of(flag, text, accepted);
    choice = text;
  };
  add_text(command, flag, joined(accepted, "|"), choose, meaning);
}

void add_choices(CLI::App& command, const std::string& flag, std::vector<std::string>& choices,
                 const std::vector<std::string>& accepted, const std::string& meaning) {
  const auto choose = [&choices, flag, accepted](const std::string& text) {
    for (const auto& name : split(text)) {
      expect_one_of(flag, name, accepted);
      choices.push_back(name);
    }
  };
  add_text(command, flag, "NAME,...", choose, meaning);
}

void add_shape(CLI::App& command, Fields& fields, const std::string& meaning) {
  const auto parse = [&fields](const std::string& text) {
    for (const auto& pair : split(text)) add_field(fields, pair);
  };
  add_text(command, "--shape", "FIELD=INTEGER,...", parse, meaning);
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  for (const auto& structure : structures()) {
    for (std::size_t f = 0; f < structure.fields.size(); ++f) {
      const std::string& field = structure.fields[f];
      const std::string flag = "--" + field;
      if (command.get_option_no_throw(flag) != nullptr) continue;  // another structure's, too
      add_integer(
          command, flag, structure.defaults[f] ? -1 : 0, most,
          [&fields, flag, field](std::int64_t value) { add_field(fields, flag, field, value); },
          "the same for one field, of " + joined(owners_of(field)));
    }
  }
}

void add_structure_and_input(CLI::App& command, Request& request) {
  command.add_option("STRUCTURE", request.structure, "one of " + joined(structure_names()))
      ->required()
      ->option_text(" ");
  command
      .add_option("INPUT", request.input,
                  "utilities: a .npy array [..., size] of float32 or float64, or a table with one "
                  "instance a line (comma, tab, semicolon or blank between numbers); - or nothing "
                  "reads standard input")
      ->option_text(" ");
}

void add_execution(CLI::App& command, Request& request) {
  command
      .add_option("--lengths", request.lengths,
                  "actual sizes of the instances, for padded ones: integers, or a file of them")
      ->option_text("N,N,...|FILE");
  command
      .add_option("--counts", request.counts,
                  "actual k of the instances, for k-subsets that differ in it: integers, or a file "
                  "of them")
      ->option_text("N,N,...|FILE");
  add_choice(command, "--dtype", request.dtype, dtype_names(),
             "compute in this type (default: the input's; a table's is float64)");
  add_threads(command, request.threads, "threads (default: one a core)");
}

void add_threads(CLI::App& command, int& threads, const std::string& meaning) {
  add_integer(
      command, "--threads", 1, 1024,
      [&threads](std::int64_t value) { threads = static_cast<int>(value); }, meaning);
}

void add_output(CLI::App& command, Output& output) {
  command
      .add_option("--output", output.path,
                  "write to this file, whose ending .tsv, .csv, .json or .npy tells the format; "
                  "an older file is replaced only on success (default: standard output)")
      ->option_text("FILE");
  add_choice(command, "--format", output.format, formats, "write this format (default: tsv)");
  command.add_flag("--json", output.json, "the same as --format json");
}

void add_relaxation(CLI::App& command, Request& request) {
  add_number(command, "--temperature", request.temperature,
             "divides the utilities; > 0 (default: 1)");
  add_choice(command, "--regularizer", request.regularizer, regularizers(),
             "(default: " + std::string(Call{}.regularizer) + ", or the only one offered)");
  add_number(command, "--utility-range", request.utility_range,
             "floor utilities / temperature at their maximum minus this many nats (default: off)");
}

void add_seed(CLI::App& command, Request& request) {
  add_integer(
      command, "--seed", 0, std::numeric_limits<std::int64_t>::max(),
      [&request](std::int64_t seed) { request.seed = static_cast<std::uint64_t>(seed); },
      "draws are a function of it (default: 0)");
}

void add_count(CLI::App& command, Request& request, const std::string& meaning) {
  add_integer(
      command, "--count", 1, std::int64_t{1} << 40,
      [&request](std::int64_t count) { request.count = count; }, meaning);
}

void add_perturbation(CLI::App& command, Request& request) {
  add_choice(command, "--perturbation", request.perturbation, perturbation_names(),
             "take the input as theta and draw the utilities around it");
  const auto parse = [&request](const std::string& text) {
    for (const auto& pair : split(text)) {
      const auto equals = std::min(pair.find('='), pair.size());
      const auto value = parse_number(pair.substr(std::min(equals + 1, pair.size())));
      if (equals == 0 || !value) {
        refuse("--parameters",
               "got " + quoted(pair) + "; accepted: NAME=NUMBER,... such as scale=2");
      }
      request.parameters[pair.substr(0, equals)] = *value;
    }
  };
  add_text(command, "--parameters", "NAME=NUMBER,...", parse,
           "of the perturbation: see softtricks list (default: the law's own)");
  add_seed(command, request);
  add_count(command, request,
            "draws for each instance; they become the first dimension (default: one, no new "
            "dimension)");
}

Executor executor_of(int threads) {
  if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return threads == 1 ? Executor{} : thread_pool(threads);
}

}  // namespace softtricks::cli
