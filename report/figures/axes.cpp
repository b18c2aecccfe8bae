#include "report/figures/axes.h"

#include <cmath>

#include <fmt/format.h>

namespace etude::report {

Scale::Scale(double low, double high, double from, double to, bool logarithmic)
    : low_(low), high_(high), from_(from), to_(to), logarithmic_(logarithmic) {
  // A single value still has a place: in the middle.
  if (high_ > low_) return;
  const double room = low_ == 0 ? 1 : std::abs(low_) / 2;
  high_ = low_ + room;
  low_ -= room;
}

double Scale::operator()(double value) const {
  const double share = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

std::vector<double> Scale::ticks() const {
  std::vector<double> ticks;
  if (logarithmic_) {
    for (double power = std::pow(10, std::floor(std::log10(low_))); power <= high_; power *= 10) {
      for (const double step : {1.0, 2.0, 5.0}) {
        if (power * step >= low_ && power * step <= high_) ticks.push_back(power * step);
      }
    }
    return ticks;
  }
  constexpr double kWanted = 6;
  const double rough = (high_ - low_) / kWanted, power = std::pow(10, std::floor(std::log10(rough)));
  const double times = rough / power;
  const double step = power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
  for (double i = std::ceil(low_ / step); i * step <= high_ + step * 1e-9; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size >= 1e15) return fmt::format("{:.0e}", value);
  if (size >= 1e12) return fmt::format("{:.4g} T", value / 1e12);
  if (size >= 1e9) return fmt::format("{:.4g} G", value / 1e9);
  if (size >= 1e6) return fmt::format("{:.4g} M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.4g} k", value / 1e3);
  // What is 0 but for rounding shall not be 1e-17.
  return size < 1e-12 ? "0" : fmt::format("{:.4g}", value);
}

void draw_axes(Svg& svg, const Frame& frame, const Scale& x, const Scale& y, const std::string& x_words,
               const std::string& y_words) {
  constexpr const char* kLight = "#ddd";
  constexpr const char* kDark = "#444";
  for (const double tick : x.ticks()) {
    svg.line(x(tick), frame.top, x(tick), frame.bottom, kLight);
    svg.text(x(tick), frame.bottom + 16, tick_text(tick), Svg::Anchor::kMiddle, 11);
  }
  for (const double tick : y.ticks()) {
    svg.line(frame.left, y(tick), frame.right, y(tick), kLight);
    svg.text(frame.left - 6, y(tick) + 4, tick_text(tick), Svg::Anchor::kEnd, 11);
  }
  svg.line(frame.left, frame.bottom, frame.right, frame.bottom, kDark);
  svg.line(frame.left, frame.top, frame.left, frame.bottom, kDark);
  svg.text((frame.left + frame.right) / 2, frame.bottom + 36, x_words, Svg::Anchor::kMiddle);
  svg.text(frame.left - 46, (frame.top + frame.bottom) / 2, y_words, Svg::Anchor::kMiddle, 12, -90);
}

}  // namespace etude::report
