#pragma once

#include <cstdint>
#include <string>

namespace etude::log {

/// 1234567 as "1,234,567".
std::string with_thousands(std::int64_t value);

/// Seconds as a person says them: "3.4s", "42s", "5m07s", "1h02m", "2d03h". "?" for what is negative or not finite.
std::string duration(double seconds);

/// "512 B", "1.2 GiB".
std::string bytes(std::uint64_t count);

/// Four significant digits: "3.217", "12.50", "0.001234"; from 1000 on whole numbers: "123457"; outside of [1e-3, 1e6)
/// "3.000e-04"; "0"; "nan".
std::string number(double value);

}  // namespace etude::log
