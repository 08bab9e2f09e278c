#pragma once
/// The kernels of one instruction set, past the choice that `run` makes of them; and all engines
/// there are.
#include <cstdlib>

#include "engine.hpp"
#include "kernels.hpp"

namespace softtricks::laws {

class KernelEngine : public Engine {
 public:
  KernelEngine(const KernelTable& table, std::string structure, std::vector<std::int64_t> shape,
               Dtype type)
      : Engine(std::string(table.name) + (type == Dtype::float32 ? " float" : " double"), type,
               true),
        table_(table),
        name_(std::move(structure)),
        shape_(std::move(shape)) {
    int place = 0;
    Structures::for_each([&]<class S>() {
      if (name_ == S::name) structure_ = place;
      ++place;
    });
    if (!size_of(name_, shape_, size_).ok()) throw std::invalid_argument(name_);
  }

  bool offers(const std::string& verb, const std::string& regularizer) const override {
    const int place = facts_of(verb, regularizer).place;
    return place >= 0 && kernel(place).run != nullptr && allowed(name_, shape_, verb, regularizer);
  }
  Numbers operator()(const Request& request) const override {
    return single() ? run_as<float>(request) : run_as<double>(request);
  }

 private:
  struct Facts {
    int place = -1;
    Result result = Result::entries;
    bool relaxes = false;
  };
  static Facts facts_of(const std::string& verb, const std::string& regularizer) {
    Facts facts;
    int place = 0;
    for_each_verb([&]<class Verb>() {
      bool called = verb == Verb::name;
      if constexpr (reads_regularizer<Verb>) called = called && regularizer == Verb::regularizer;
      if (called) facts = {place, Verb::result, reads_regularizer<Verb>};
      ++place;
    });
    return facts;
  }
  const Kernel& kernel(int place) const { return table_.verb[structure_][place][single() ? 0 : 1]; }

  template <class T>
  Numbers run_as(const Request& request) const {
    const Facts facts = facts_of(request.verb, request.regularizer);
    const std::vector<T> utility(request.utility.begin(), request.utility.end());
    const std::vector<T> member(request.member.begin(), request.member.end());
    const std::vector<T> cotangent(request.cotangent.begin(), request.cotangent.end());
    const std::vector<T> other(request.other.begin(), request.other.end());
    const std::int64_t batch = static_cast<std::int64_t>(utility.size()) / size_;
    const std::int64_t members = facts.result == Result::members ? request.members : 0;
    const std::int64_t results =
        facts.result == Result::number ? 1 : size_ * (members > 0 ? members : 1);
    WithCanaries<T> out(batch * results), value(batch * members);
    KernelArguments arguments{};
    std::copy(shape_.begin(), shape_.end(), arguments.shape);
    arguments.temperature = facts.relaxes ? request.temperature : 1;
    arguments.utility_range = facts.relaxes ? request.utility_range : infinity<double>;
    arguments.utility = utility.data();
    arguments.member = member.data();
    arguments.cotangent = cotangent.data();
    arguments.other = other.data();
    arguments.members = members;
    arguments.counts = request.counts.empty() ? nullptr : request.counts.data();
    arguments.lengths = request.lengths.empty() ? nullptr : request.lengths.data();
    arguments.seed = request.seed;
    arguments.first_instance = request.first_instance;
    arguments.out = out.data();
    arguments.out_value = value.data();
    const Kernel& chosen = kernel(facts.place);
    auto piece = [&](std::int64_t begin, std::int64_t end) {
      const std::size_t bytes = (chosen.bytes(arguments) + 63) / 64 * 64;
      const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(64, bytes), std::free);
      chosen.run(arguments, begin, end, memory.get());
    };
    request.executor.for_each_range(batch, 16, piece);
    return side_by_side(out.numbers(), value.numbers(), static_cast<std::size_t>(batch));
  }

  const KernelTable& table_;
  const std::string name_;
  const std::vector<std::int64_t> shape_;
  int structure_ = -1;
  std::int64_t size_ = 0;
};

/// `run`, and the kernels of the instruction sets that this machine has and `run` leaves aside.
inline Engines library_engines(const std::string& structure,
                               const std::vector<std::int64_t>& shape) {
  Engines all{std::make_shared<LibraryEngine>(structure, shape, Dtype::float32),
              std::make_shared<LibraryEngine>(structure, shape, Dtype::float64)};
  const auto add = [&](const KernelTable& table) {
    if (instruction_set() == table.name) return;
    all.push_back(std::make_shared<KernelEngine>(table, structure, shape, Dtype::float32));
    all.push_back(std::make_shared<KernelEngine>(table, structure, shape, Dtype::float64));
  };
  add(kernels_baseline());
#if SOFTTRICKS_ISA_COUNT > 1
  if (instruction_set() == "avx512") add(kernels_avx2());
#endif
  return all;
}

/// All engines of one instance of structure S. The team's tag keeps this program's code apart from
/// the library's.
template <class S>
Engines engines_of(const S& structure, const std::vector<std::int64_t>& shape) {
  using Serial = SerialTeam<1000>;
  Engines all{std::make_shared<CoreEngine<S, float, Serial>>("serial float", structure),
              std::make_shared<CoreEngine<S, double, Serial>>("serial double", structure),
              std::make_shared<CoreEngine<S, float, ShuffledTeam>>("shuffled float", structure),
              std::make_shared<CoreEngine<S, double, ShuffledTeam>>("shuffled double", structure)};
  const Engines library = library_engines(S::name, shape);
  all.insert(all.end(), library.begin(), library.end());
  return all;
}

}  // namespace softtricks::laws
