#include "table.hpp"

#include <cctype>

#include "error.hpp"
#include "numbers.hpp"

namespace softtricks::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r");
  if (start == text.npos) return {};
  return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

char separator_of(std::string_view row) {
  for (const char separator : {',', '\t', ';'}) {
    if (row.find(separator) != row.npos) return separator;
  }
  return ' ';
}

/// The row's next cell, which is removed from it together with its separator.
std::string_view next_cell(std::string_view& row, char separator, bool& last) {
  const auto stop = row.find_first_of(separator == ' ' ? std::string_view(" \t")
                                                       : std::string_view(&separator, 1));
  const auto cell = row.substr(0, stop);
  last = stop == row.npos;
  row.remove_prefix(last ? row.size() : stop + 1);
  if (separator == ' ') row.remove_prefix(std::min(row.find_first_not_of(" \t"), row.size()));
  return trimmed(cell);
}

/// A cell as an error message can show it.
std::string shown(std::string_view cell) {
  std::string text(cell.substr(0, 40));
  for (char& c : text) c = std::isprint(static_cast<unsigned char>(c)) ? c : '?';
  return quoted(text + (cell.size() > 40 ? "..." : ""));
}

class TableParser {
 public:
  TableParser(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // byte-order mark
  }

  Array parse() {
    while (!rest_.empty()) {
      const auto row = next_line();
      const auto content = trimmed(row);
      if (!content.empty() && content[0] != '#') add_row(row);
    }
    if (rows_ == 0) refuse(name_, "there are no numbers in it");
    return {{rows_, columns_}, std::move(values_)};
  }

 private:
  std::string_view next_line() {
    const auto stop = std::min(rest_.find('\n'), rest_.size());
    const auto line = rest_.substr(0, stop);
    rest_.remove_prefix(std::min(stop + 1, rest_.size()));
    ++line_;
    return line;
  }

  void add_row(std::string_view row) {
    if (rows_ == 0) separator_ = separator_of(trimmed(row));
    if (separator_ == ' ') row = trimmed(row);  // elsewhere blank ends may be empty cells
    std::int64_t column = 0;
    for (bool last = false; !last;) add_number(next_cell(row, separator_, last), ++column);
    if (rows_ == 0) columns_ = column;
    if (column != columns_) {
      refuse(name_, "line " + std::to_string(line_) + " has " + std::to_string(column) +
                        " columns, the lines before it " + std::to_string(columns_));
    }
    ++rows_;
  }

  void add_number(std::string_view cell, std::int64_t column) {
    const auto number = parse_number(cell);
    if (!number) {
      refuse(name_, "line " + std::to_string(line_) + ", column " + std::to_string(column) + ": " +
                        shown(cell) + " is not a float64 number; accepted: rows of numbers " +
                        "(inf, -inf and nan too), or a .npy array");
    }
    values_.push_back(*number);
  }

  std::string_view rest_;
  const std::string& name_;
  std::int64_t line_ = 0, rows_ = 0, columns_ = 0;
  char separator_ = ' ';
  std::vector<double> values_;
};

}  // namespace

Array parse_table(std::string_view text, const std::string& name) {
  return TableParser(text, name).parse();
}

std::string table_text(const Array& array, bool scalar, char separator) {
  const std::int64_t columns = scalar ? 1 : array.width();
  std::string text;
  std::visit(
      [&](const auto& values) {
        std::int64_t column = 0;
        for (const auto value : values) {
          text += number_text(value);
          text += ++column == columns ? '\n' : separator;
          column %= columns;
        }
      },
      array.values);
  return text;
}

}  // namespace softtricks::cli
