#include <set>
#include <string>

#include <fmt/format.h>

#include "report/formats/cells.h"
#include "report/formats/formats.h"

namespace etude::report {
namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : plain(text)) {
    switch (c) {
      case '\\':
        safe += "\\textbackslash{}";
        break;
      case '~':
        safe += "\\textasciitilde{}";
        break;
      case '^':
        safe += "\\textasciicircum{}";
        break;
      case '<':
        safe += "\\textless{}";
        break;
      case '>':
        safe += "\\textgreater{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        safe += '\\';
        [[fallthrough]];
      default:
        safe += c;
    }
  }
  return safe;
}

/// A negative number has a minus sign, not a hyphen; what is not known a dash.
std::string number(const Json& value) { return value.is_number() ? fmt::format("${}$", figure(value)) : "--"; }

std::string bounds(const Json& low, const Json& high) {
  return low.is_number() && high.is_number() ? fmt::format("$[{}, {}]$", figure(low), figure(high)) : "--";
}

std::string dash(const std::string& text) { return text == "–" ? "--" : escaped(text); }

constexpr const char* kEnd = "  \\bottomrule\n\\end{tabular}\n\\end{table}\n";

std::string begin(const std::string& caption, const char* columns, const std::string& head) {
  return fmt::format(
      "\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\begin{{tabular}}{{{}}}\n  \\toprule\n  {} \\\\\n  \\midrule\n",
      caption, columns, head);
}

/// Ids of the best of the groups that are compared, and of those that differ from it within noise: nobody is the winner
/// alone whom another sample might dethrone.
std::set<std::string> leading(const Json& model) {
  std::set<std::string> ids;
  const Json& all = at(model, "comparisons");
  if (all.empty()) return ids;
  const std::string best = text_of(at(all.front(), "a"));  // each set's best comes first, the largest set's before all
  for (const Json& one : all) {
    if (text_of(at(one, "a")) != best) continue;
    if (text_of(at(one, "verdict")) == "not comparable") return {};
    ids.insert(best);
    if (text_of(at(one, "verdict")) == "within noise") ids.insert(text_of(at(one, "b")));
  }
  return ids;
}

std::string configurations(const Json& model) {
  const Json& metric = at(model, "metric");
  const std::string caption = fmt::format(
      "{}, {} ({} split; lower is better), with 95\\,\\% intervals by a paired bootstrap over pieces and, "
      "where there are several, seeds. In bold: the lowest, and what differs from it within noise.",
      escaped(text_of(at(model, "title"))), escaped(text_of(at(metric, "unit"))),
      escaped(text_of(at(metric, "split"))));
  std::string text = begin(caption, "lrrrlrr",
                           "configuration & runs & parameters & " + escaped(text_of(at(metric, "name"))) +
                               " & 95\\,\\% interval & training & cost of one");
  const std::set<std::string> leads = leading(model);
  for (const GroupRow& row : group_rows(model)) {
    const Json& group = *row.group;
    const Json& mean = at(group, "mean");
    text += fmt::format("  {} & {} & {} & {} & {} & {} & {} \\\\\n", escaped(row.name), at(group, "runs").size(),
                        dash(amount(at(*row.first, "parameters"))),
                        mean.is_number() && leads.contains(text_of(at(group, "id")))
                            ? fmt::format("\\textbf{{{}}}", figure(mean))
                            : number(mean),
                        bounds(at(at(group, "interval"), "low"), at(at(group, "interval"), "high")),
                        dash(duration(at(group, "seconds"))), dash(cost(at(group, "cost"))));
  }
  return text + kEnd;
}

std::string comparisons(const Json& model) {
  if (at(model, "comparisons").empty()) return "";
  const auto groups = by_id(at(model, "groups"));
  const auto name = [&](const Json& id) {
    const auto found = groups.find(text_of(id));
    return found == groups.end() ? std::string("?") : escaped(text_of(at(*found->second, "name")));
  };
  std::string text = begin(fmt::format("Differences in {}.", escaped(text_of(at(at(model, "metric"), "unit")))),
                           "llrll", "$a$ & $b$ & $a - b$ & 95\\,\\% interval & verdict");
  for (const Json& one : at(model, "comparisons")) {
    text += fmt::format("  {} & {} & {} & {} & {} \\\\\n", name(at(one, "a")), name(at(one, "b")),
                        number(at(one, "difference")), bounds(at(one, "low"), at(one, "high")),
                        escaped(text_of(at(one, "verdict"))));
  }
  return text + kEnd;
}

}  // namespace

std::string latex(const Json& model) {
  std::string text = "% \\usepackage{booktabs}; made by " + plain(text_of(at(at(model, "made"), "program"))) + " at " +
                     text_of(at(at(model, "made"), "at")) + "\n" + configurations(model);
  if (const std::string second = comparisons(model); !second.empty()) text += "\n" + second;
  // Not everything may be put side by side; whoever reads the source is to know.
  for (const Json& one : at(model, "refused")) text += "% not comparable: " + plain(text_of(at(one, "reason"))) + "\n";
  return text;
}

}  // namespace etude::report
