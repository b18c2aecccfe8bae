#include "data/shard/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using namespace std::string_literals;

Pickle load(const std::string& bytes) { return Pickle(std::as_bytes(std::span(bytes))); }

// Bytes as Python's pickle.dumps(value, protocol=2) gives them.
TEST(Pickles, OfPlainValuesAreReadAsPythonWritesThem) {
  EXPECT_EQ(load("\x80\x02K\x07."s).root().integer, 7);
  EXPECT_EQ(load("\x80\x02J\xff\xff\xff\xff."s).root().integer, -1);
  EXPECT_EQ(load("\x80\x02\x8a\x06\x00\x00\x00\x00\x00\x01."s).root().integer, 1LL << 40);
  EXPECT_EQ(load("\x80\x02G?\xf8\x00\x00\x00\x00\x00\x00."s).root().number, 1.5);
  const Pickle pickle = load("\x80\x02}q\x00X\x01\x00\x00\x00"s + "aq\x01]q\x02(K\x01K\x02"s + "es."s);
  const PickleValue* list = pickle.root().find("a");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(list->items[1]->integer, 2);
  EXPECT_EQ(pickle.root().find("b"), nullptr);
}

TEST(Pickles, ThatWouldRunSomethingDoNot) {
  // os.system("true"), as pickle writes an object that reduces to it: it stays a value.
  const Pickle pickle = load("\x80\x02"s + "cposix\nsystem\nX\x04\x00\x00\x00"s + "true\x85R."s);
  EXPECT_EQ(pickle.root().kind, PickleValue::Kind::kCall);
  EXPECT_EQ(pickle.root().items[0]->text, "posix system");
}

TEST(Pickles, ThatAreNoneSayWhere) {
  EXPECT_THAT([] { load("\x80\x02K"s); }, ThrowsMessage<Error>(HasSubstr("byte 3")));
  EXPECT_THAT([] { load("\x80\x04K\x01."s); }, ThrowsMessage<Error>(HasSubstr("protocol 4")));
  EXPECT_THAT([] { load("\x80\x02h\x05."s); }, ThrowsMessage<Error>(HasSubstr("was not there")));
  EXPECT_THAT([] { load("\x80\x02."s); }, ThrowsMessage<Error>(HasSubstr("takes more than was put")));
  EXPECT_THAT([] { load("\x80\x02(t"s + "e."s); }, ThrowsMessage<Error>(HasSubstr("not begun")));
  EXPECT_THAT([] { load("\x80\x02]K\x01u."s); }, ThrowsMessage<Error>(HasSubstr("not begun")));
}

}  // namespace
}  // namespace etude::data
