/// The handlers of XLA's custom calls: one for the verbs of structures, one for those of
/// perturbations, none for a structure. Which verb and which structure come as attributes.
///
/// Operands are named by the attribute `operands`, in order: "utility,cotangent,lengths". All have
/// the same leading dimensions. Only `stream`, the seed and the first instance as words of 32 bits
/// (low, high, low, high), may have fewer of them: each of its rows is for a group of instances.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "softtricks/registry.hpp"
#include "xla_threads.hpp"

namespace softtricks {
namespace {

namespace ffi = xla::ffi;

std::int64_t product(ffi::AnyBuffer::Dimensions sizes, std::size_t count) {
  std::int64_t all = 1;
  for (std::size_t i = 0; i < count; ++i) all *= sizes[i];
  return all;
}

/// One integer an instance, as the library reads it: where JAX has 32 bits only, a copy.
class Integers {
 public:
  explicit Integers(const ffi::AnyBuffer& buffer) {
    if (buffer.element_type() == ffi::DataType::S64) {
      data_ = buffer.typed_data<std::int64_t>();
    } else {
      const auto* narrow = buffer.typed_data<std::int32_t>();
      wide_.assign(narrow, narrow + buffer.element_count());
      data_ = wide_.data();
    }
  }
  const std::int64_t* data() const { return data_; }

 private:
  std::vector<std::int64_t> wide_;
  const std::int64_t* data_ = nullptr;
};

/// The operands by name.
class Operands {
 public:
  Operands(std::string_view names, const ffi::RemainingArgs& given) {
    for (std::size_t i = 0; i < given.size() && !names.empty(); ++i) {
      const std::size_t end = std::min(names.find(','), names.size());
      named_.emplace_back(names.substr(0, end), given.get<ffi::AnyBuffer>(i).value());
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }
  std::optional<ffi::AnyBuffer> find(std::string_view name) const {
    for (const auto& [known, buffer] : named_) {
      if (known == name) return buffer;
    }
    return std::nullopt;
  }
  const void* data(std::string_view name) const {
    const auto buffer = find(name);
    return buffer ? buffer->untyped_data() : nullptr;
  }
  std::optional<Integers> integers(std::string_view name) const {
    const auto buffer = find(name);
    return buffer ? std::optional<Integers>(*buffer) : std::nullopt;
  }

 private:
  std::vector<std::pair<std::string_view, ffi::AnyBuffer>> named_;
};

const void* shifted(const void* array, std::int64_t bytes) {
  return array == nullptr ? nullptr : static_cast<const char*>(array) + bytes;
}
void* shifted(void* array, std::int64_t bytes) {
  return array == nullptr ? nullptr : static_cast<char*>(array) + bytes;
}

std::int64_t width(Dtype dtype) { return dtype == Dtype::float64 ? 8 : 4; }

/// Only draws have streams, and they return entries.
void move_to(Call& call, std::int64_t instance, std::int64_t size) {
  const std::int64_t bytes = instance * size * width(call.dtype);
  call.utility = shifted(call.utility, bytes);
  call.out = shifted(call.out, bytes);
  if (call.lengths != nullptr) call.lengths += instance;
  if (call.counts != nullptr) call.counts += instance;
}
void move_to(PerturbationCall& call, std::int64_t instance, std::int64_t size) {
  const std::int64_t bytes = instance * size * width(call.dtype);
  call.theta = shifted(call.theta, bytes);
  call.out = shifted(call.out, bytes);
}

/// Runs the call, group by group where each has a seed of its own.
template <class AnyCall>
Status run_groups(const AnyCall& call, const Operands& operands, std::int64_t size) {
  const auto stream = operands.find("stream");
  if (!stream) return run(call);
  const auto* words = stream->typed_data<std::uint32_t>();
  const std::int64_t groups = static_cast<std::int64_t>(stream->element_count()) / 4;
  const auto group = [&](std::int64_t g) {
    const auto word = [&](int i) { return std::uint64_t{words[4 * g + i]}; };
    AnyCall own = call;
    own.seed = word(0) | word(1) << 32;
    own.first_instance = word(2) | word(3) << 32;
    own.batch = call.batch / groups;
    move_to(own, g * own.batch, size);
    return own;
  };
  if (groups == 0) return {};
  if (groups == 1) return run(group(0));
  // One level of threads: over the groups. All differ in numbers only, so what the first is told
  // of names and shapes holds for all; a later one may still have a length of its own to complain
  // of.
  std::vector<Status> found(static_cast<std::size_t>(groups));
  auto body = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) {
      AnyCall own = group(g);
      own.executor = {};
      found[static_cast<std::size_t>(g)] = run(own);
    }
  };
  call.executor.for_each_range(groups, 16, body);
  for (const Status& status : found) {
    if (!status.ok()) return status;
  }
  return {};
}

template <class T>
T attribute(const ffi::Dictionary& attributes, std::string_view name) {
  return attributes.get<T>(name).value();
}

Dtype dtype_of(const ffi::AnyBuffer& buffer) {
  return buffer.element_type() == ffi::DataType::F64 ? Dtype::float64 : Dtype::float32;
}

ffi::Error answer(const Status& status) {
  return status.ok() ? ffi::Error::Success()
                     : ffi::Error::InvalidArgument("softtricks: " + status.message());
}

void* result(const ffi::RemainingRets& results, std::size_t i) {
  return i < results.size() ? results.get<ffi::AnyBuffer>(i).value()->untyped_data() : nullptr;
}

ffi::Error solve(ffi::ThreadPool pool, ffi::RemainingArgs arguments, ffi::RemainingRets results,
                 ffi::Dictionary attributes) {
  const Operands operands(attribute<std::string_view>(attributes, "operands"), arguments);
  const ffi::AnyBuffer utility = operands.find("utility").value();
  const auto sizes = utility.dimensions();
  const auto shape = attribute<ffi::Span<const std::int64_t>>(attributes, "shape");
  const auto lengths = operands.integers("lengths"), counts = operands.integers("counts");

  Call call;
  call.verb = attribute<std::string_view>(attributes, "verb");
  call.structure = attribute<std::string_view>(attributes, "structure");
  call.shape.assign(shape.begin(), shape.end());
  call.regularizer = attribute<std::string_view>(attributes, "regularizer");
  call.temperature = attribute<double>(attributes, "temperature");
  call.utility_range = attribute<double>(attributes, "utility_range");
  call.members = attribute<std::int64_t>(attributes, "members");
  call.dtype = dtype_of(utility);
  call.batch = product(sizes, sizes.size() - 1);
  call.utility = utility.untyped_data();
  call.member = operands.data("member");
  call.cotangent = operands.data("cotangent");
  call.other = operands.data("other");
  call.lengths = lengths ? lengths->data() : nullptr;
  call.counts = counts ? counts->data() : nullptr;
  call.out = result(results, 0);
  call.out_value = result(results, 1);
  call.executor = xla_threads(pool);
  return answer(run_groups(call, operands, sizes.back()));
}

ffi::Error perturb(ffi::ThreadPool pool, ffi::RemainingArgs arguments, ffi::RemainingRets results,
                   ffi::Dictionary attributes) {
  const Operands operands(attribute<std::string_view>(attributes, "operands"), arguments);
  const ffi::AnyBuffer theta = operands.find("theta").value();
  const auto sizes = theta.dimensions();
  const auto parameters = attribute<ffi::Span<const double>>(attributes, "parameters");

  PerturbationCall call;
  call.verb = attribute<std::string_view>(attributes, "verb");
  call.perturbation = attribute<std::string_view>(attributes, "perturbation");
  call.parameters.assign(parameters.begin(), parameters.end());
  call.dtype = dtype_of(theta);
  call.batch = sizes.size() == 0 ? 1 : product(sizes, sizes.size() - 1);
  call.size = sizes.size() == 0 ? 1 : sizes.back();
  call.theta = theta.untyped_data();
  call.value = operands.data("value");
  call.cotangent = operands.data("cotangent");
  call.out = result(results, 0);
  call.out_value = result(results, 1);
  call.executor = xla_threads(pool);
  return answer(run_groups(call, operands, call.size));
}

}  // namespace
}  // namespace softtricks

#define SOFTTRICKS_HANDLER(name, function)                               \
  extern "C" __attribute__((visibility("default"))) XLA_FFI_Error* name( \
      XLA_FFI_CallFrame* call_frame);                                    \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(                                         \
      name, function,                                                    \
      xla::ffi::Ffi::Bind().Ctx<xla::ffi::ThreadPool>().RemainingArgs().RemainingRets().Attrs())
SOFTTRICKS_HANDLER(softtricks_solve, softtricks::solve);
SOFTTRICKS_HANDLER(softtricks_perturb, softtricks::perturb);
