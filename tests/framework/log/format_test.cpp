#include "framework/log/format.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "framework/log/pace.h"

namespace etude::log {
namespace {

TEST(Format, ThousandsAreSeparated) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(-123), "-123");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
  EXPECT_EQ(with_thousands(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Format, DurationsKeepTwoUnits) {
  EXPECT_EQ(duration(0), "0.0s");
  EXPECT_EQ(duration(3.42), "3.4s");
  EXPECT_EQ(duration(9.96), "10s");
  EXPECT_EQ(duration(59.6), "1m00s");
  EXPECT_EQ(duration(307), "5m07s");
  EXPECT_EQ(duration(3599.7), "1h00m");
  EXPECT_EQ(duration(3720), "1h02m");
  EXPECT_EQ(duration(86399), "23h59m");
  EXPECT_EQ(duration(2 * 86400 + 3 * 3600), "2d03h");
  EXPECT_EQ(duration(-1), "?");
  EXPECT_EQ(duration(std::nan("")), "?");
  EXPECT_EQ(duration(std::numeric_limits<double>::infinity()), "?");
}

TEST(Format, BytesInPowersOf1024) {
  EXPECT_EQ(bytes(512), "512 B");
  EXPECT_EQ(bytes(1024), "1.0 KiB");
  EXPECT_EQ(bytes(1288490189), "1.2 GiB");
  EXPECT_EQ(bytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(bytes(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(Format, NumbersToFourDigits) {
  EXPECT_EQ(number(3.21684), "3.217");
  EXPECT_EQ(number(12.5), "12.50");
  EXPECT_EQ(number(0.0012344), "0.001234");
  EXPECT_EQ(number(-0.5), "-0.5000");
  EXPECT_EQ(number(999.94), "999.9");
  EXPECT_EQ(number(999.96), "1000");
  EXPECT_EQ(number(123456.7), "123457");
  EXPECT_EQ(number(3e-4), "3.000e-04");
  EXPECT_EQ(number(2.5e7), "2.500e+07");
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(std::nan("")), "nan");
}

TEST(Pace, TimeLeftFollowsTheRecentPast) {
  Pace pace(10);
  pace.add(100, 0);  // resumed: what was done before does not count
  EXPECT_TRUE(std::isinf(pace.left(200)));
  pace.add(101, 50);  // a slow first step
  EXPECT_DOUBLE_EQ(pace.left(201), 5000);
  for (int i = 1; i <= 20; ++i) pace.add(101 + 2 * i, 50 + i);
  EXPECT_DOUBLE_EQ(pace.rate(), 2);
  EXPECT_DOUBLE_EQ(pace.left(241), 50);
  EXPECT_DOUBLE_EQ(pace.left(141), 0);
}

}  // namespace
}  // namespace etude::log
