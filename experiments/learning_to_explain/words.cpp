#include <algorithm>
#include <cctype>

#include "learning_to_explain/corpus.hpp"

namespace learning_to_explain {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // Bytes of other alphabets belong to words; "don't" and "well-made" are one word each.
    if (std::isalnum(byte) || byte >= 128 || ((c == '\'' || c == '-') && !word.empty())) {
      word += static_cast<char>(std::tolower(byte));
    } else {
      end_word();
      if (!std::isspace(byte)) words.emplace_back(1, c);
    }
  }
  end_word();
  return words;
}

std::vector<std::uint8_t> changed_words(const std::vector<std::string>& before,
                                        const std::vector<std::string>& after) {
  const std::size_t rows = before.size(), columns = after.size() + 1;
  // common[i, j]: length of the longest common subsequence of before[i..] and after[j..].
  std::vector<int> common((rows + 1) * columns, 0);
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns - 1; j-- > 0;) {
      common[i * columns + j] = before[i] == after[j] ? common[(i + 1) * columns + j + 1] + 1
                                                      : std::max(common[(i + 1) * columns + j],
                                                                 common[i * columns + j + 1]);
    }
  }
  std::vector<std::uint8_t> changed(rows, 1);
  std::size_t i = 0, j = 0;
  while (i < rows && j + 1 < columns) {
    if (before[i] == after[j]) {
      changed[i++] = 0;
      ++j;
    } else if (common[(i + 1) * columns + j] >= common[i * columns + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return changed;
}

}  // namespace learning_to_explain
