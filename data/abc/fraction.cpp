#include "data/abc/fraction.h"

#include <numeric>

namespace etude::data::abc {
namespace {

std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) throw FractionOverflow("a length with too many digits");
  return result;
}

std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) throw FractionOverflow("a length with too many digits");
  return result;
}

}  // namespace

Fraction::Fraction(std::int64_t numerator, std::int64_t denominator) {
  if (denominator == 0) throw FractionOverflow("a length divided by 0");
  const std::int64_t divisor = (denominator < 0 ? -1 : 1) * std::gcd(numerator, denominator);
  numerator_ = numerator / divisor;
  denominator_ = denominator / divisor;
}

Fraction Fraction::operator+(const Fraction& other) const {
  const std::int64_t common = times(denominator_ / std::gcd(denominator_, other.denominator_), other.denominator_);
  return {plus(times(numerator_, common / denominator_), times(other.numerator_, common / other.denominator_)), common};
}

Fraction Fraction::operator-(const Fraction& other) const { return *this + other * Fraction(-1); }

Fraction Fraction::operator*(const Fraction& other) const {
  return {times(numerator_, other.numerator_), times(denominator_, other.denominator_)};
}

Fraction Fraction::operator/(const Fraction& other) const {
  return {times(numerator_, other.denominator_), times(denominator_, other.numerator_)};
}

}  // namespace etude::data::abc
