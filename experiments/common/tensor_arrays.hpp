#pragma once
/// Tensors in and out of checkpoints, the files of tensor_file.hpp.
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "common/error.hpp"
#include "common/parameters.hpp"
#include "common/tensor_file.hpp"

namespace experiments {

/// Arrays to write; keeps copies of those that lie on another device alive.
class Arrays {
 public:
  void add(const std::string& name, const at::Tensor& value);
  /// Every array under its own name.
  void add(const Parameters& parameters);
  const std::vector<ArrayView>& views() const { return views_; }

 private:
  std::vector<at::Tensor> kept_;
  std::vector<ArrayView> views_;
};

/// Fills `target` with a file's array of that name; UserError where it has another shape.
void copy_into(at::Tensor target, const TensorFile& file, const std::string& name);

/// Fills the arrays that `Arrays::add(parameters)` wrote.
void copy_into(const Parameters& parameters, const TensorFile& file);

/// The words under which a checkpoint was made; `threads` because sums are cut by their number.
struct CheckpointKey {
  nlohmann::json identity;
  int threads;
};

void write_checkpoint(const Path& path, const Arrays& arrays, const CheckpointKey& key,
                      const nlohmann::json& state);
TensorFile read_checkpoint(const Path& path);
nlohmann::json state_of(const TensorFile& file);

/// Reads the file whole. Calls no LibTorch function.
CheckpointKey read_key(const Path& path);

/// Turns whatever a damaged or foreign file makes a parser throw into one sentence.
[[noreturn]] void not_one_of_ours(const Path& path, const std::exception& error);
template <class Read>
auto reading(const Path& path, const Read& read) {
  try {
    return read();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    not_one_of_ours(path, error);
  }
}

}  // namespace experiments
