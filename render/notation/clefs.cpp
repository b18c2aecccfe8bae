#include "render/notation/clefs.h"

#include <algorithm>
#include <array>

namespace etude::render {
namespace {

constexpr double kChange = 12;  // ledger lines that a change of clef is worth
constexpr std::array kClefs{Clef::kTreble, Clef::kBass};

/// Steps of the scale above middle C.
int degree(const Spelling& spelling) {
  constexpr std::array<int, 7> kFromC{5, 6, 0, 1, 2, 3, 4};  // A … G
  return (spelling.octave - 4) * 7 + kFromC[static_cast<std::size_t>(spelling.step - 'A')];
}

double ledger_lines(const Staff& staff, Clef clef) {
  const int lowest = clef == Clef::kTreble ? 2 : -10, highest = clef == Clef::kTreble ? 10 : -2;  // E4 F5, G2 A3
  double lines = 0;
  for (const auto& voice : staff.voices) {
    for (const Element& element : voice) {
      for (const WrittenNote& note : element.notes) {
        const int at = degree(note.spelling);
        const int over = std::max(at - highest, lowest - at) / 2;
        if (over > 0) lines += over > 2 ? 2.0 * over : over;
      }
    }
  }
  return lines;
}

}  // namespace

void choose_clefs(std::vector<Measure>& measures) {
  if (measures.empty()) return;
  const std::size_t staves = measures.front().staves.size();
  for (std::size_t staff = 0; staff < staves; ++staff) {
    // The cheapest way to have come to each clef (Viterbi); both begin at the usual one, where there are two staves.
    const std::size_t usual = staff == 0 ? 0 : 1;
    std::array<double, 2> price{};
    if (staves > 1) price[1 - usual] = kChange / 2;
    std::vector<std::array<std::size_t, 2>> came_from;
    for (const Measure& measure : measures) {
      std::array<double, 2> next{};
      std::array<std::size_t, 2> from{};
      for (std::size_t clef = 0; clef < 2; ++clef) {
        const std::size_t other = 1 - clef;
        from[clef] = price[clef] <= price[other] + kChange ? clef : other;
        next[clef] = std::min(price[clef], price[other] + kChange) + ledger_lines(measure.staves[staff], kClefs[clef]) +
                     (clef == usual ? 0 : 0.01);
      }
      price = next;
      came_from.push_back(from);
    }
    std::size_t clef = price[usual] <= price[1 - usual] ? usual : 1 - usual;
    for (std::size_t i = measures.size(); i-- > 0;) {
      measures[i].staves[staff].clef = kClefs[clef];
      clef = came_from[i][clef];
    }
  }
}

}  // namespace etude::render
