#include "common/tensor_arrays.hpp"

#include <cstring>

namespace experiments {
namespace {

constexpr std::string_view checkpoint_file = "checkpoint";

std::string remedy(const Path& path) {
  return "delete the folder '" + path.parent_path().string() + "' to start this row afresh";
}

}  // namespace

void Arrays::add(const std::string& name, const at::Tensor& value) {
  const at::Tensor dense = value.detach().cpu().contiguous();
  kept_.push_back(dense);
  views_.push_back({name, "F32", dense.sizes().vec(),
                    Bytes(static_cast<const char*>(dense.const_data_ptr()),
                          static_cast<std::size_t>(dense.numel()) * sizeof(float))});
}

void Arrays::add(const Parameters& parameters) {
  for (std::size_t handle = 0; handle < parameters.names().size(); ++handle) {
    add(parameters.names()[handle], parameters[handle]);
  }
}

void copy_into(at::Tensor target, const TensorFile& file, const std::string& name) {
  const ArrayView& array = file.array(name, "F32");
  if (at::IntArrayRef(array.shape) != target.sizes()) {
    throw UserError("checkpoint '" + file.path.string() + "': array '" + name +
                    "' has another shape than this model; " + remedy(file.path));
  }
  at::Tensor dense = at::empty(array.shape, at::kFloat);
  std::memcpy(dense.mutable_data_ptr(), array.bytes.data(), array.bytes.size());
  target.copy_(dense);
}

void copy_into(const Parameters& parameters, const TensorFile& file) {
  for (std::size_t handle = 0; handle < parameters.names().size(); ++handle) {
    copy_into(parameters[handle].detach(), file, parameters.names()[handle]);
  }
}

void write_checkpoint(const Path& path, const Arrays& arrays, const CheckpointKey& key,
                      const nlohmann::json& state) {
  write_tensor_file(path, arrays.views(),
                    {{"identity", key.identity.dump()},
                     {"threads", std::to_string(key.threads)},
                     {"state", state.dump()}},
                    checkpoint_file);
}

TensorFile read_checkpoint(const Path& path) {
  return read_tensor_file(path, checkpoint_file, remedy(path));
}

nlohmann::json state_of(const TensorFile& file) {
  return nlohmann::json::parse(file.metadata.at("state"));
}

CheckpointKey read_key(const Path& path) {
  return reading(path, [&] {
    const TensorFile file = read_checkpoint(path);
    return CheckpointKey{nlohmann::json::parse(file.metadata.at("identity")),
                         std::stoi(file.metadata.at("threads"))};
  });
}

void not_one_of_ours(const Path& path, const std::exception& error) {
  throw UserError("checkpoint '" + path.string() + "' is not one of this program (" + error.what() +
                  "); " + remedy(path));
}

}  // namespace experiments
