#pragma once
/// The command line of an experiment's program, from the list of its options.
#include <cstdlib>
#include <string>
#include <type_traits>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace experiments {

struct ProgramText {
  std::string program, description, footer;
};

/// Reads options into their members. visit(function) calls function(name, member, help) for each;
/// the members hold the defaults. Prints help and exits where asked to; throws UserError for a
/// wrong argument.
template <class Visit>
void read_command_line(int count, char** arguments, const ProgramText& text, const Visit& visit) {
  CLI::App app(text.description);
  app.footer(text.footer);
  app.option_defaults()->always_capture_default();
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  visit([&](const std::string& name, auto& member, const std::string& help) {
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(member)>, bool>) {
      app.add_flag("--" + name, member, help);
    } else {
      app.add_option("--" + name, member, help);
    }
  });
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) std::exit(app.exit(error));
    throw UserError(std::string(error.what()) + "\nSee " + text.program + " --help.");
  }
}

/// The members by their options' names.
template <class Visit>
nlohmann::json json_of(const Visit& visit) {
  nlohmann::json json;
  visit([&](const std::string& name, const auto& member, const std::string&) {
    json[name] = member;
  });
  return json;
}

}  // namespace experiments
