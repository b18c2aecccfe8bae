#include "framework/track/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/http/client.h"
#include "framework/track/card.h"
#include "tests/support/oracle.h"

namespace etude::track {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(TrackOptions, AddressesAreAddressesWithoutSecrets) {
  TrackOptions options;
  EXPECT_THAT(complaints(options), IsEmpty());
  options.url = "node1:8080";
  options.mlflow = "https://me:secret@tracking.example/mlflow";
  EXPECT_THAT(complaints(options),
              ElementsAre(HasSubstr("track.url: 'node1:8080'"),
                          AllOf(HasSubstr("track.mlflow"), HasSubstr("environment"), Not(HasSubstr("secret")))));
}

TEST(Url, IsTakenApart) {
  const auto parts = [](const char* text) {
    const http::Url url = http::parse_url(text);
    return url.origin + " " + url.path;
  };
  EXPECT_EQ(parts("http://node1:8080"), "http://node1:8080 ");
  EXPECT_EQ(parts("https://tracking.example/ml/flow/"), "https://tracking.example /ml/flow");
  EXPECT_EQ(parts("http://[::1]:80/a?b=c"), "http://[::1]:80 /a?b=c");
  for (const char* none : {"", "ftp://x", "http://", "http:///path", "http://:80", "localhost:80"}) {
    EXPECT_THROW(http::parse_url(none), UsageError) << none;
  }
}

TEST(Card, KeepsWhatARunIsCalled) {
  const etude::testing::TemporaryFolder folder;
  const auto file = folder.path() / "track.json";
  const std::string id = Card(file).id();
  EXPECT_EQ(id.size(), 32U);
  EXPECT_NE(Card(folder.path() / "other.json").id(), id);
  Card(file).note({"http://node1:5000", "run7"});
  const Card again(file);
  EXPECT_EQ(again.id(), id);
  EXPECT_EQ(again.mlflow().run, "run7");
  std::ofstream(file) << "{";
  EXPECT_THROW(Card{file}, Error);
}

}  // namespace
}  // namespace etude::track
