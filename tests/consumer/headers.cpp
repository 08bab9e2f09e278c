// The headers alone: no library is linked. One of four items at equal utilities: A(u) = log 4.
#include <cmath>
#include <cstddef>
#include <vector>

#include <softtricks/lists.hpp>

int main() {
  using softtricks::OneHot;
  const OneHot one_hot{4};
  const std::vector<double> utility(4, 0.0);
  std::vector<std::byte> room(one_hot.scratch<double>());
  const double log_partition = one_hot.log_partition(
      softtricks::SerialTeam<>{}, softtricks::Vector<const double>{utility.data(), 4}, 4.0,
      softtricks::Scratch{room.data()});
  return std::abs(log_partition - std::log(4.0)) < 1e-12 ? 0 : 1;
}
