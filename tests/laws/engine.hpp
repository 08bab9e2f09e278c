#pragma once
/// Ways to carry out a verb that must agree: the core's text on one team and number type, and the
/// compiled library through `run`. Laws speak to an engine and know no structure.
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "shuffled_team.hpp"
#include "softtricks/functions.hpp"
#include "softtricks/registry.hpp"

namespace softtricks::laws {

using Numbers = std::vector<double>;

/// A call in double, whatever the engine computes with.
struct Request {
  std::string verb;
  Numbers utility;                      // [batch, size]
  Numbers member = {}, cotangent = {};  // [batch, size]
  std::string regularizer = "gibbs_entropy";
  double temperature = 1;
  double utility_range = std::numeric_limits<double>::infinity();
  std::vector<std::int64_t> lengths = {}, counts = {};
  std::uint64_t seed = 0, first_instance = 0;
  Executor executor = {};
  Numbers other = {};        // [batch, size]
  std::int64_t members = 2;  // of verbs that return such
};

class Engine {
 public:
  Engine(std::string its_name, Dtype its_dtype, bool through_run)
      : name(std::move(its_name)), dtype(its_dtype), library(through_run) {}
  virtual ~Engine() = default;

  virtual bool offers(const std::string& verb, const std::string& regularizer) const = 0;
  /// The result, one row an instance; of verbs that return members these, then their numbers.
  virtual Numbers operator()(const Request& request) const = 0;

  bool single() const { return dtype == Dtype::float32; }
  double epsilon() const { return single() ? 0x1p-23 : 0x1p-52; }
  double rounded(double x) const { return single() ? static_cast<double>(float(x)) : x; }
  Numbers rounded(Numbers x) const {
    for (double& value : x) value = rounded(value);
    return x;
  }

  const std::string name;
  const Dtype dtype;
  const bool library;  // through run, with temperature, range and lengths as it takes them
};

/// Does this shape have the verb (check_method)? A call of no instances is refused where not.
inline bool allowed(const std::string& structure, const std::vector<std::int64_t>& shape,
                    const std::string& verb, const std::string& regularizer) {
  Call call;
  call.verb = verb;
  call.structure = structure;
  call.shape = shape;
  call.regularizer = regularizer;
  return run(call).ok();
}

/// The core's text: structure S on numbers T, by one team, one instance after the other.
template <class S, class T, class Team>
class CoreEngine : public Engine {
 public:
  CoreEngine(std::string its_name, const S& structure)
      : Engine(std::move(its_name), sizeof(T) == 4 ? Dtype::float32 : Dtype::float64, false),
        structure_(structure) {}

  bool offers(const std::string& verb, const std::string& regularizer) const override {
    bool found = false;
    for_each_verb([&]<class Verb>() {
      if constexpr (Offered<Verb, S, T, Team>) {
        found |= is_called<Verb>(verb, regularizer) && has_method(Verb::method);
      }
    });
    return found;
  }

  Numbers operator()(const Request& request) const override {
    Numbers result;
    const auto size = static_cast<std::size_t>(structure_.size());
    for (std::size_t b = 0; b < request.utility.size() / size; ++b) {
      for_each_verb([&]<class Verb>() {
        if constexpr (Offered<Verb, S, T, Team>) {
          if (is_called<Verb>(request.verb, request.regularizer)) run<Verb>(request, b, result);
        }
      });
    }
    return result;
  }

 private:
  template <class Verb>
  static bool is_called(const std::string& verb, const std::string& regularizer) {
    if constexpr (reads_regularizer<Verb>) {
      return verb == Verb::name && regularizer == Verb::regularizer;
    } else {
      return verb == Verb::name;
    }
  }

  bool has_method(std::string_view method) const {
    if constexpr (requires { structure_.check_method(method); }) {
      return structure_.check_method(method).ok();
    }
    return true;
  }

  std::vector<T> row(const Numbers& all, std::size_t b) const {
    const auto size = static_cast<std::size_t>(structure_.size());
    std::vector<T> part(size);
    for (std::size_t e = 0; e < size && !all.empty(); ++e) part[e] = T(all[b * size + e]);
    return part;
  }

  template <class Verb>
  void run(const Request& request, std::size_t b, Numbers& result) const {
    const int size = structure_.size();
    std::vector<T> utility = row(request.utility, b), member = row(request.member, b),
                   cotangent = row(request.cotangent, b), other = row(request.other, b);
    const int members = Verb::result == Result::members ? static_cast<int>(request.members) : 0;
    std::vector<T> out(static_cast<std::size_t>(members > 0                      ? members * size
                                                : Verb::result == Result::number ? 1
                                                                                 : size)),
        value(static_cast<std::size_t>(members));
    const T temperature = reads_regularizer<Verb> ? T(request.temperature) : T(1);
    for (T& u : utility) u = u / temperature;
    const std::uint64_t instance = request.first_instance + b;
    const Stream<T> stream(request.seed, static_cast<std::uint32_t>(instance),
                           static_cast<std::uint32_t>(instance >> 32));
    const Operands<T> operands{{utility.data(), size},
                               {member.data(), size},
                               {cotangent.data(), size},
                               {other.data(), size},
                               {value.data(), members},
                               T(structure_.longest()),
                               &stream};
    const std::size_t bytes = verb_scratch<Verb, T>(structure_, members);
    Guarded memory(bytes);
    Verb::run(structure_, Team(), operands, Vector<T>{out.data(), static_cast<int>(out.size())},
              Scratch(memory.data()));
    if (!memory.intact()) throw std::logic_error(std::string(Verb::name) + " overran its scratch");
    const bool pulls_back = reads_regularizer<Verb> && Verb::reads_cotangent;
    for (const T x : out) result.push_back(static_cast<double>(pulls_back ? x / temperature : x));
    for (const T x : value) result.push_back(static_cast<double>(x));
  }

  /// Scratch of exactly the promised size, filled with NaN, with a guard behind.
  class Guarded {
   public:
    explicit Guarded(std::size_t bytes) : bytes_(bytes), memory_(bytes + 2 * guard) {
      std::memset(memory_.data(), 0xFF, memory_.size());
    }
    char* data() {
      const auto place = reinterpret_cast<std::uintptr_t>(memory_.data());
      return memory_.data() + (Scratch::alignment - place % Scratch::alignment);
    }
    bool intact() {
      char* const end = data() + bytes_;
      for (std::size_t i = 0; i < guard; ++i) {
        if (end[i] != '\xFF') return false;
      }
      return true;
    }

   private:
    static constexpr std::size_t guard = 512;
    std::size_t bytes_;
    std::vector<char> memory_ = {};
  };

  const S structure_;
};

inline Result result_of(const std::string& verb) {
  for (const VerbInfo& info : verbs()) {
    if (info.name == verb) return info.result;
  }
  throw std::invalid_argument(verb);
}

/// Each instance's rows of both arrays, one after the other.
inline Numbers side_by_side(const Numbers& out, const Numbers& value, std::size_t batch) {
  if (value.empty()) return out;
  Numbers all;
  const auto append = [&](const Numbers& from, std::size_t b) {
    const auto width = static_cast<std::ptrdiff_t>(from.size() / batch);
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(b) * width;
    all.insert(all.end(), first, first + width);
  };
  for (std::size_t b = 0; b < batch; ++b) {
    append(out, b);
    append(value, b);
  }
  return all;
}

/// Room for a result, with numbers behind it that must stay.
template <class T>
class WithCanaries {
 public:
  explicit WithCanaries(std::int64_t count)
      : count_(static_cast<std::size_t>(count)), room_(count_ + 16, canary) {}
  T* data() { return room_.data(); }
  Numbers numbers() const {
    for (std::size_t i = count_; i < room_.size(); ++i) {
      if (room_[i] != canary) throw std::logic_error("written behind the result");
    }
    return {room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(count_)};
  }

 private:
  static constexpr T canary = T(-12345);
  std::size_t count_;
  std::vector<T> room_;
};

/// The compiled library.
class LibraryEngine : public Engine {
 public:
  LibraryEngine(std::string structure, std::vector<std::int64_t> shape, Dtype type)
      : Engine(type == Dtype::float32 ? "library float" : "library double", type, true),
        structure_(std::move(structure)),
        shape_(std::move(shape)) {
    const Status status = size_of(structure_, shape_, size_);
    if (!status.ok()) throw std::invalid_argument(status.message());
  }

  bool offers(const std::string& verb, const std::string& regularizer) const override {
    return softtricks::offers(structure_, verb, regularizer) &&
           allowed(structure_, shape_, verb, regularizer);
  }

  Numbers operator()(const Request& request) const override {
    return single() ? run_as<float>(request) : run_as<double>(request);
  }

 private:
  template <class T>
  Numbers run_as(const Request& request) const {
    const std::vector<T> utility(request.utility.begin(), request.utility.end());
    const std::vector<T> member(request.member.begin(), request.member.end());
    const std::vector<T> cotangent(request.cotangent.begin(), request.cotangent.end());
    const std::vector<T> other(request.other.begin(), request.other.end());
    Call call;
    call.verb = request.verb;
    call.structure = structure_;
    call.shape = shape_;
    call.regularizer = request.regularizer;
    call.temperature = request.temperature;
    call.utility_range = request.utility_range;
    call.dtype = dtype;
    call.batch = static_cast<std::int64_t>(utility.size()) / size_;
    call.utility = utility.data();
    call.member = member.empty() ? nullptr : member.data();
    call.cotangent = cotangent.empty() ? nullptr : cotangent.data();
    call.other = other.empty() ? nullptr : other.data();
    call.counts = request.counts.empty() ? nullptr : request.counts.data();
    call.lengths = request.lengths.empty() ? nullptr : request.lengths.data();
    call.seed = request.seed;
    call.first_instance = request.first_instance;
    call.executor = request.executor;
    const Result kind = result_of(request.verb);
    const bool lists = kind == Result::members;
    if (lists) call.members = request.members;
    const std::int64_t results = kind == Result::number ? 1 : size_ * (lists ? request.members : 1);
    WithCanaries<T> out(call.batch * results), value(lists ? call.batch * request.members : 0);
    call.out = out.data();
    call.out_value = value.data();
    const Status status = run(call);
    if (!status.ok()) throw std::runtime_error(status.message());
    return side_by_side(out.numbers(), value.numbers(), static_cast<std::size_t>(call.batch));
  }

  const std::string structure_;
  const std::vector<std::int64_t> shape_;
  std::int64_t size_ = 0;
};

using Engines = std::vector<std::shared_ptr<const Engine>>;

}  // namespace softtricks::laws
