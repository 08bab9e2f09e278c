#pragma once
/// Tensors of the stable ABI as the library's arrays: checks, threads, and the way from other
/// devices and back.
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <torch/csrc/stable/device.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include "softtricks/registry.hpp"

namespace softtricks {

using torch::stable::Tensor;
using Shape = std::vector<std::int64_t>;
using Integers = std::optional<Tensor>;  // one an instance

[[noreturn]] inline void refuse(const std::string& message) {
  throw std::runtime_error("softtricks: " + message);
}

inline void demand(const Status& status) {
  if (!status.ok()) refuse(status.message());
}

inline std::string words(const Shape& sizes) {
  std::string text = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
  }
  return text + "]";
}

inline Shape sizes_of(const Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return Shape(sizes.begin(), sizes.end());
}

inline std::int32_t dtype_of(const Tensor& tensor) {
  std::int32_t dtype = 0;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(tensor.get(), &dtype));
  return dtype;
}

inline std::int32_t layout_of(const Tensor& tensor) {
  std::int32_t layout = 0;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_layout(tensor.get(), &layout));
  return layout;
}

inline std::int32_t device_type_of(const Tensor& tensor) {
  std::int32_t device_type = 0;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(tensor.get(), &device_type));
  return device_type;
}

/// Runs the batch loop on PyTorch's own threads, so that torch.set_num_threads rules it.
inline Executor torch_threads() {
  Executor executor;
  executor.run = [](void*, std::int64_t count, std::int64_t grain, Executor::Body body,
                    void* state) {
    if (count <= 0) return;
    torch::stable::parallel_for(
        0, count, grain,
        [body, state](std::int64_t begin, std::int64_t end) { body(state, begin, end); });
  };
  return executor;
}

/// A batch of vectors [..., size] that every other argument of the call must agree with.
class Batch {
 public:
  Batch(const char* name, const Tensor& tensor) : name_(name), tensor_(tensor) {
    if (layout_of(tensor) != aoti_torch_layout_strided()) {
      refuse(std::string(name) + ": expected a dense (strided) tensor");
    }
    if (device_type_of(tensor) == aoti_torch_device_type_meta()) {
      refuse(std::string(name) + ": a meta tensor has no numbers to work on");
    }
    if (dtype_of(tensor) == aoti_torch_dtype_float32()) {
      dtype_ = Dtype::float32;
    } else if (dtype_of(tensor) == aoti_torch_dtype_float64()) {
      dtype_ = Dtype::float64;
    } else {
      refuse(std::string(name) + ": expected float32 or float64; convert it, as in " + name +
             ".to(torch.float32)");
    }
    sizes_ = sizes_of(tensor);
    size_ = sizes_.empty() ? 1 : sizes_.back();
    for (std::size_t i = 0; i + 1 < sizes_.size(); ++i) count_ *= sizes_[i];
    host_ = to_host(tensor);
  }

  Dtype dtype() const { return dtype_; }
  std::int64_t count() const { return count_; }
  std::int64_t size() const { return size_; }
  const Shape& sizes() const { return sizes_; }
  Shape leading() const {
    return sizes_.empty() ? Shape{} : Shape(sizes_.begin(), sizes_.end() - 1);
  }
  const void* data() const { return host_.const_data_ptr(); }

  /// The same tensor or another that has its type, device and sizes, where the kernels can read it.
  Tensor agreeing(const char* name, const Tensor& other) const {
    if (dtype_of(other) != dtype_of(tensor_)) {
      refuse(std::string(name) + ": expected the same type as " + name_ + ", " +
             (dtype_ == Dtype::float32 ? "float32" : "float64"));
    }
    if (sizes_of(other) != sizes_) {
      refuse(std::string(name) + ": expected the shape of " + name_ + ", " + words(sizes_) +
             ", not " + words(sizes_of(other)));
    }
    return on_this_device(name, other);
  }

  /// One integer an instance.
  Tensor integers(const char* name, const Tensor& integers) const {
    if (dtype_of(integers) != aoti_torch_dtype_int64()) {
      refuse(std::string(name) + ": expected int64");
    }
    if (sizes_of(integers) != leading()) {
      refuse(std::string(name) + ": expected one number an instance, shape " + words(leading()) +
             ", not " + words(sizes_of(integers)));
    }
    return on_this_device(name, integers);
  }

  Tensor empty(const Shape& sizes) const { return torch::stable::new_empty(host_, sizes); }

  /// Hands a result back where the arguments came from.
  Tensor returned(const Tensor& result) const {
    return tensor_.is_cpu() ? result : torch::stable::to(result, tensor_.device());
  }

 private:
  Tensor on_this_device(const char* name, const Tensor& other) const {
    const bool same = tensor_.is_cpu() ? other.is_cpu()
                                       : other.device().type() == tensor_.device().type() &&
                                             other.device().index() == tensor_.device().index();
    if (!same) {
      refuse(std::string(name) + ": expected on the device of " + name_ +
             "; move one of them, as in " + name + ".to(" + name_ + ".device)");
    }
    return to_host(other);
  }

  /// Other devices have no kernels yet: their tensors are solved on the CPU and sent back.
  static Tensor to_host(const Tensor& tensor) {
    const torch::stable::Device cpu(torch::headeronly::DeviceType::CPU);
    const Tensor host = tensor.is_cpu() ? tensor : torch::stable::to(tensor, cpu);
    return host.is_contiguous() ? host : torch::stable::contiguous(host);
  }

  const char* name_;
  Tensor tensor_;
  Tensor host_{tensor_};
  Dtype dtype_ = Dtype::float32;
  Shape sizes_;
  std::int64_t count_ = 1;
  std::int64_t size_ = 1;
};

}  // namespace softtricks
