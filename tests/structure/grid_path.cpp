#include "softtricks/structure/grid_path.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

void extend(int rows, int columns, int r, int c, Member& x, std::vector<Member>& found) {
  const auto place = static_cast<std::size_t>(r * columns + c);
  x[place] = 1;
  if (r + 1 == rows && c + 1 == columns) found.push_back(x);
  if (r + 1 < rows) extend(rows, columns, r + 1, c, x, found);
  if (c + 1 < columns) extend(rows, columns, r, c + 1, x, found);
  if (r + 1 < rows && c + 1 < columns) extend(rows, columns, r + 1, c + 1, x, found);
  x[place] = 0;
}

std::vector<Member> paths(int rows, int columns) {
  Member x(static_cast<std::size_t>(rows * columns), 0);
  std::vector<Member> found;
  extend(rows, columns, 0, 0, x, found);
  return found;
}

/// Ways to choose j diagonal steps, and the places of the others.
double delannoy(int m, int n) {
  double sum = 0;
  for (int j = 0; j <= std::min(m, n); ++j) {
    sum += std::exp(std::lgamma(m + n - j + 1.0) - std::lgamma(m - j + 1.0) -
                    std::lgamma(n - j + 1.0) - std::lgamma(j + 1.0));
  }
  return std::round(sum);
}

/// What holds for all points of the hull: from corner to corner, each row and column is visited, an
/// antidiagonal at most once, and of two neighbouring ones at least one.
double outside(int rows, int columns, const Numbers& x) {
  double worst = -*std::min_element(x.begin(), x.end());
  Numbers row(static_cast<std::size_t>(rows), 0.0), column(static_cast<std::size_t>(columns), 0.0),
      diagonal(static_cast<std::size_t>(rows + columns - 1), 0.0);
  for (std::size_t e = 0; e < x.size(); ++e) {
    const std::size_t r = e / column.size(), c = e % column.size();
    row[r] += x[e];
    column[c] += x[e];
    diagonal[r + c] += x[e];
  }
  for (const double sum : row) worst = std::max(worst, 1 - sum);
  for (const double sum : column) worst = std::max(worst, 1 - sum);
  for (std::size_t d = 0; d < diagonal.size(); ++d) {
    worst = std::max(worst, diagonal[d] - 1);
    if (d + 1 < diagonal.size()) worst = std::max(worst, 1 - diagonal[d] - diagonal[d + 1]);
  }
  return std::max({worst, std::fabs(x.front() - 1), std::fabs(x.back() - 1)});
}

Subject grid_path(int rows, int columns) {
  const auto part = [columns](std::int64_t length) {
    return Part{{length, columns}, first_entries(length * columns)};
  };
  return {"grid_path",
          {rows, columns},
          static_cast<std::size_t>(rows * columns),
          paths(rows, columns),
          delannoy(rows - 1, columns - 1),
          [rows, columns](const Numbers& x) { return outside(rows, columns, x); },
          rows,
          part,
          engines_of(GridPath{rows, columns}, {rows, columns})};
}

const bool enrolled = [] {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 4}, {3, 1}, {2, 2}, {3, 4}, {4, 4}}) {
    subjects().push_back(grid_path(rows, columns));
  }
  large_engines().emplace_back(600, engines_of(GridPath{20, 30}, {20, 30}));
  return true;
}();

TEST(GridPath, CountsItsPaths) {
  const LibraryEngine engine("grid_path", {40, 30}, Dtype::float64);
  EXPECT_NEAR(engine({.verb = "log_partition", .utility = Numbers(1200, 0.0)}).at(0),
              std::log(delannoy(39, 29)), 1e-10);
}

}  // namespace
}  // namespace softtricks::laws
