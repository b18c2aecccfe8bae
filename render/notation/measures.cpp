#include "render/notation/measures.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::render {
namespace {

constexpr int kSixteenth = kUnitsPerQuarter / 4;
constexpr std::size_t kMostMeasures = 20'000;

/// From `begin` on measures are counted in `meter`.
struct Section {
  std::int64_t begin = 0;
  data::TimeSignature meter;
};

bool can_be_written(const data::TimeSignature& meter) {
  const bool power_of_two = meter.denominator > 0 && (meter.denominator & (meter.denominator - 1)) == 0;
  return power_of_two && meter.denominator <= 64 && meter.numerator >= 1 && meter.numerator <= 64;
}

int length_of(const data::TimeSignature& meter) { return meter.numerator * kUnitsPerWhole / meter.denominator; }

bool same(const data::TimeSignature& a, const data::TimeSignature& b) {
  return a.numerator == b.numerator && a.denominator == b.denominator;
}

std::vector<Section> sections_of(const data::Score& score) {
  std::vector<Section> sections{{0, {}}};
  for (const data::TimeSignature& meter : score.time_signatures) {
    if (!can_be_written(meter)) continue;
    const auto time = static_cast<std::int64_t>(std::llround(units_at(score, meter.time) / kSixteenth)) * kSixteenth;
    if (time <= sections.back().begin) {
      sections.back().meter = meter;
    } else if (!same(meter, sections.back().meter)) {
      sections.push_back({time, meter});
    }
  }
  return sections;
}

/// A first measure of a meter of its own that is shorter than what follows is an upbeat to it.
bool begins_with_upbeat(const std::vector<Section>& sections) {
  if (sections.size() < 2) return false;
  const data::TimeSignature &first = sections[0].meter, &then = sections[1].meter;
  return sections[1].begin == length_of(first) && length_of(first) < length_of(then) &&
         first.denominator >= then.denominator;
}

}  // namespace

double units_at(const data::Score& score, std::int64_t tick) {
  return static_cast<double>(tick) * kUnitsPerQuarter / std::max(1, score.ticks_per_quarter);
}

Pulse pulse_of(const data::TimeSignature& meter) {
  const int unit = kUnitsPerWhole / meter.denominator;
  if (meter.denominator >= 8 && meter.numerator % 3 == 0) {
    return {3 * unit, true, meter.numerator % 12 == 0 ? 6 * unit : 0};
  }
  if (meter.denominator >= 8) return {unit, false, 0};
  if (meter.denominator <= 2) return {kUnitsPerQuarter, false, unit};
  return {kUnitsPerQuarter, false, meter.numerator % 6 == 0 ? 3 * unit : meter.numerator % 4 == 0 ? 2 * unit : 0};
}

std::vector<Measure> lay_out(const data::Score& score, std::int64_t end, std::int64_t upbeat, std::size_t most) {
  std::vector<Section> sections = sections_of(score);
  std::vector<Measure> measures;
  const auto add = [&](std::int64_t begin, std::int64_t length, const data::TimeSignature& meter) {
    if (measures.size() == kMostMeasures) {
      throw Error(
          fmt::format("it has more than {} measures (damaged times?); --bars N takes the beginning", kMostMeasures));
    }
    Measure measure;
    measure.begin = begin;
    measure.length = static_cast<int>(length);
    measure.meter = meter;
    measure.shows_meter = measures.empty() || !same(measures.back().meter, meter);
    measure.incomplete = length != length_of(meter);
    measures.push_back(std::move(measure));
  };
  const auto written_upbeat =
      static_cast<std::int64_t>(std::llround(units_at(score, upbeat) / kSixteenth)) * kSixteenth;
  if (begins_with_upbeat(sections)) {
    add(0, sections[1].begin, sections[1].meter);
    sections.erase(sections.begin());
  } else if (written_upbeat > 0 && written_upbeat < length_of(sections.front().meter)) {
    add(0, written_upbeat, sections.front().meter);
    sections.front().begin = written_upbeat;
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const int length = length_of(sections[i].meter);
    const bool last = i + 1 == sections.size();
    std::int64_t begin = sections[i].begin;
    const std::int64_t until = last ? end : std::min(end, sections[i + 1].begin);
    while (begin < until || measures.empty()) {
      if (most > 0 && measures.size() >= most) return measures;
      const std::int64_t next = begin + length;
      add(begin, !last && next > sections[i + 1].begin ? sections[i + 1].begin - begin : length, sections[i].meter);
      begin = next;
    }
  }
  return measures;
}

std::vector<Beat> beats_of(const std::vector<Measure>& measures) {
  std::vector<Beat> beats;
  for (const Measure& measure : measures) {
    const int beat = pulse_of(measure.meter).beat;
    // An upbeat is the end of a measure, and counted so.
    const bool from_end = measure.incomplete && measure.begin == 0;
    for (int at = 0; at < measure.length;) {
      const int over = from_end && at == 0 ? measure.length % beat : 0;
      const int length = over > 0 ? over : std::min(beat, measure.length - at);
      beats.push_back({measure.begin + at, length, std::min(length, kSixteenth)});
      at += length;
    }
  }
  return beats;
}

std::size_t beat_at(const std::vector<Beat>& beats, std::int64_t time) {
  const auto after = std::upper_bound(beats.begin(), beats.end(), time,
                                      [](std::int64_t at, const Beat& beat) { return at < beat.begin; });
  return after == beats.begin() ? 0 : static_cast<std::size_t>(std::distance(beats.begin(), after)) - 1;
}

std::size_t measure_at(const std::vector<Measure>& measures, std::int64_t time) {
  const auto after = std::upper_bound(measures.begin(), measures.end(), time,
                                      [](std::int64_t at, const Measure& measure) { return at < measure.begin; });
  return after == measures.begin() ? 0 : static_cast<std::size_t>(std::distance(measures.begin(), after)) - 1;
}

}  // namespace etude::render
