#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "softtricks/registry.hpp"

namespace softtricks::cli {

std::string joined(const std::vector<std::string>& names, const std::string& between = ", ");

/// Refuses a value that isn't among `accepted`, and suggests the nearest.
void expect_one_of(const std::string& argument, const std::string& value,
                   const std::vector<std::string>& accepted);

std::vector<std::string> structure_names();
std::vector<std::string> verb_names();
std::vector<std::string> perturbation_names();
const StructureInfo& find_structure(const std::string& name);
/// The registry's entry of a verb; refuses one that is unknown.
VerbInfo find_verb(const std::string& name);
/// The regularizers with which a structure offers a verb: all of them where it uses none.
std::vector<std::string> offered_regularizers(const std::string& structure,
                                              const std::string& verb);
/// Refuses unknown names and what the structure doesn't offer.
void expect_offered(const std::string& structure, const std::string& verb,
                    const std::string& regularizer);

/// What a verb reads besides the utilities.
struct Needs {
  bool member;       // a member of the set, given by the user
  bool soft_sample;  // the soft sample at the same utilities
  bool cotangent;
  bool seed;
  bool relaxation;  // temperature, regularizer, utility range
  bool other;       // utilities of a second law
  bool members;     // how many to list
};
Needs needs_of(std::string_view verb);

}  // namespace softtricks::cli
