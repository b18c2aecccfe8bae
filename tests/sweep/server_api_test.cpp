#include <chrono>
#include <cmath>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweep/server/api.h"
#include "sweep/server/guard.h"
#include "tests/support/oracle.h"
#include "tests/sweep/stand_in_desk.h"

namespace etude::sweep {
namespace {

using sweep::testing::StandInDesk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ApiParts parts() {
  ApiParts parts;
  parts.version = "1.2.3";
  parts.folder = [](std::int64_t number) { return "sweeps/demo/trial-" + std::to_string(number); };
  parts.yaml = [](const Trial&) { return std::string("name: best\n"); };
  return parts;
}

struct ApiTest : ::testing::Test {
  Reply get(const std::string& path, const Api::Query& query = {}) { return api.answer("GET", path, query, ""); }
  Reply post(const std::string& path, const std::string& body) { return api.answer("POST", path, {}, body); }
  std::string error(const Reply& reply) { return Json::parse(reply.body).at("error").get<std::string>(); }
  std::int64_t begin() {
    const Reply reply = post("/api/trials", R"({"request": "one", "worker": {"name": "w"}})");
    return Json::parse(reply.body).at("trial").at("number").get<std::int64_t>();
  }
  std::vector<std::int64_t> numbers(const Json& answer) {
    std::vector<std::int64_t> numbers;
    for (const Json& trial : answer.at("trials")) numbers.push_back(trial.at("number").get<std::int64_t>());
    return numbers;
  }

  StandInDesk desk;
  Api api{desk, parts()};
};

// The oracle is the JSON Schema implementation of Python: whatever is sent and answered is as the description says.
TEST_F(ApiTest, EveryAnswerIsAsTheDescriptionSays) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no Python with jsonschema (script/setup --test)";
  sweep::testing::fill_with_oddities(desk);
  Json said = Json::array();
  const auto say = [&](const std::string& method, const std::string& path, const std::string& described,
                       const std::string& body, const Api::Query& query = {}) {
    const Reply reply = api.answer(method == "get" ? "GET" : "POST", path, query, body);
    said.push_back({{"method", method},
                    {"path", described},
                    {"status", reply.status},
                    {"sent", body.empty() ? Json(nullptr) : Json::parse(body)},
                    {"answer", Json::parse(reply.body)}});
    return reply.status;
  };
  const auto get = [&](const std::string& path) { return say("get", path, path, ""); };
  EXPECT_EQ(get("/api/study"), 200);
  EXPECT_EQ(get("/api/trials"), 200);
  EXPECT_EQ(say("get", "/api/trials/1", "/api/trials/{number}", ""), 200);
  EXPECT_EQ(say("get", "/api/trials/77", "/api/trials/{number}", ""), 404);
  EXPECT_EQ(get("/api/importance"), 200);
  EXPECT_EQ(get("/api/best"), 200);
  EXPECT_EQ(get("/api/openapi.json"), 200);
  EXPECT_EQ(say("post", "/api/trials", "/api/trials",
                R"({"request": "a", "worker": {"name": "w", "host": "h", "nodes": 0.5, "cores": 2, "gpus": 1}})"),
            200);
  EXPECT_EQ(
      say("post", "/api/trials/3/reports", "/api/trials/{number}/reports",
          R"({"reports": [{"step": 1, "value": 0.5}, {"step": 2, "metrics": {"eval_loss": "nan", "x": "-inf"}}]})"),
      200);
  EXPECT_EQ(say("post", "/api/trials/3/reports", "/api/trials/{number}/reports", R"({"reports": []})"), 200);
  EXPECT_EQ(say("post", "/api/trials/3/end", "/api/trials/{number}/end", R"({"state": "COMPLETE", "values": [1]})"),
            200);
  EXPECT_EQ(say("post", "/api/trials/3/prune", "/api/trials/{number}/prune", "{}"), 409);
  EXPECT_EQ(say("post", "/api/trials/2/retry", "/api/trials/{number}/retry", R"({"request": "again"})"), 200);
  EXPECT_EQ(say("post", "/api/enqueue", "/api/enqueue",
                R"({"request": "e", "parameters": {"train.lr": 0.001, "model.kind": "gpt2"}})"),
            200);
  EXPECT_EQ(say("post", "/api/stop", "/api/stop", "{}"), 200);
  EXPECT_EQ(say("post", "/api/trials", "/api/trials", R"({"request": "b", "worker": {"name": "w"}})"), 200);
  EXPECT_EQ(get("/api/study"), 200);

  const etude::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "said.json")
      << Json{{"openapi", Json::parse(api.answer("GET", "/api/openapi.json", {}, "").body)}, {"said", said}};
  const std::string verdict = etude::testing::run_python(R"(
import json, sys
import jsonschema
everything = json.load(open(sys.argv[1]))
document = everything["openapi"]
try:
    from openapi_spec_validator import validate
    validate(document)
except ImportError:
    pass
jsonschema.Draft202012Validator.check_schema(document)
def resolved(node):
    while "$ref" in node:
        path, node = node["$ref"], document
        for word in path[2:].split("/"):
            node = node[word]
    return node
def check(schema, value, where):
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], **schema}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        print(where, error.json_path, error.message[:300])
for name, schema in document["components"]["schemas"].items():
    jsonschema.Draft202012Validator.check_schema(schema)
used = set()
for one in everything["said"]:
    operation = document["paths"][one["path"]][one["method"]]
    used.add((one["path"], one["method"]))
    where = f'{one["method"]} {one["path"]} {one["status"]}'
    if one["sent"] is not None:
        check(resolved(operation["requestBody"])["content"]["application/json"]["schema"], one["sent"], where + " sent")
    answers = operation["responses"]
    answer = resolved(answers.get(str(one["status"]), answers.get("default")))
    check(answer["content"]["application/json"]["schema"], one["answer"], where)
for path, operations in document["paths"].items():
    for method in operations:
        if method != "parameters" and path != "/healthz" and (path, method) not in used:
            print(path, method, "is described, and was not tried")
)",
                                                         {(folder.path() / "said.json").string()});
  EXPECT_EQ(verdict, "");
}

TEST_F(ApiTest, NumbersThatJsonHasNotAreTextsAndForeignBytesDoNoHarm) {
  sweep::testing::fill_with_oddities(desk);
  const Json trial = Json::parse(get("/api/trials/0").body);
  EXPECT_EQ(trial.at("values"), Json::array({"inf"}));
  EXPECT_EQ(trial.at("reports"), Json::parse(R"([[0, "nan"], [10, "-inf"], [20, 0.5]])"));
  EXPECT_EQ(trial.at("user_attributes").at("nested").at("loss"), "nan");
  EXPECT_EQ(trial.at("parameters"), Json::parse(R"({"model.kind": "transformer_xl", "model.memory": 128})"));
  EXPECT_EQ(Json::parse(get("/api/trials/1").body).at("state"), "PAUSED");
}

TEST_F(ApiTest, WhatPythonWritesForNanIsUnderstood) {
  const auto number = std::to_string(begin());
  ASSERT_EQ(
      post("/api/trials/" + number + "/reports",
           R"({"reports": [{"step": 1, "value": NaN}, {"step": 2, "value": -Infinity}, {"step": 3, "value": "inf"}]})")
          .status,
      200);
  const auto& reports = desk.trials[0].reports;
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_TRUE(std::isnan(reports[0].value));
  EXPECT_EQ(reports[1].value, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(reports[2].value, std::numeric_limits<double>::infinity());
}

TEST_F(ApiTest, WhatIsNotUnderstoodIsRefusedByNameAndChangesNothing) {
  const auto number = std::to_string(begin());
  const auto revision = desk.revision;
  const struct {
    const char *path, *body;
    int status;
    const char* says;
  } kRefused[] = {
      {"reports", R"({"reports": [{"step": 1, "valeu": 0.5}]})", 422, "value"},
      {"reports", R"({"reports": [{"step": 1, "value": 0.5, "extra": 1}]})", 422, "'extra'"},
      {"reports", R"({"reports": [{"step": 1, "value": 0.5, "metrics": {}}]})", 422, "'metrics'"},
      {"reports", R"({"reports": [{"step": 1.5, "value": 0.5}]})", 422, "'step'"},
      {"reports", R"({"reports": [{"step": -1, "value": 0.5}]})", 422, "'step'"},
      {"reports", R"({"reports": [{"step": 1e300, "value": 0.5}]})", 422, "'step'"},
      {"reports", R"({"reports": [{"step": "1", "value": 0.5}]})", 422, "'step'"},
      {"reports", R"({"reports": [{"step": 1, "value": "0.5"}]})", 422, "'value'"},
      {"reports", R"({"reports": [{"step": 1, "value": null}]})", 422, "'value'"},
      {"reports", R"({"reports": [{"step": 1, "value": true}]})", 422, "'value'"},
      {"reports", R"({"reports": [{"step": 1}]})", 422, "lacks"},
      {"reports", R"({"reports": 1})", 422, "'reports'"},
      {"reports", R"({})", 422, "'reports'"},
      {"reports", R"([])", 422, "object"},
      {"reports", "", 400, "JSON"},
      {"reports", "{", 400, "JSON"},
      {"reports", "{\"reports\": \"\xff\"}", 400, "JSON"},
      {"reports", R"({"reports": [{"step": 1, "metrics": {"a\u0000b": 1}}]})", 422, "U+0000"},
      {"reports", R"({"reports": [[[[[[[[[[]]]]]]]]]]})", 422, "deep"},
      {"end", R"({"state": "RUNNING"})", 422, "COMPLETE"},
      {"end", R"({"state": "COMPLETE", "values": [1, 2]})", 422, "eval_loss"},
      {"end", R"({"state": "FAIL", "reasons": "x"})", 422, "did you mean 'reason'"},
      {"prune", R"({"now": true})", 422, "'now'"},
      {"retry", R"({})", 422, "'request'"},
      {"retry", R"({"request": ""})", 422, "'request'"},
      {"resurrect", R"({})", 404, "address"},
  };
  for (const auto& one : kRefused) {
    const Reply reply = post("/api/trials/" + number + "/" + one.path, one.body);
    EXPECT_EQ(reply.status, one.status) << one.body;
    EXPECT_THAT(error(reply), HasSubstr(one.says)) << one.body;
  }
  EXPECT_EQ(post("/api/trials", R"({"request": "r", "worker": {"name": "w", "gpus": -1}})").status, 422);
  EXPECT_EQ(post("/api/trials", R"({"request": "r", "worker": {"name": "w", "colour": 1}})").status, 422);
  EXPECT_EQ(post("/api/enqueue", R"({"request": "r", "parameters": {"a": [1]}})").status, 422);
  EXPECT_EQ(get("/api/trials", {{"sinse", "1"}}).status, 422);
  EXPECT_EQ(get("/api/trials", {{"since", "-1"}}).status, 422);
  EXPECT_EQ(get("/api/importance", {{"objective", "1"}}).status, 422);
  EXPECT_EQ(get("/api/trials/1e3").status, 404);
  EXPECT_EQ(get("/api/trials/99999999999999999999").status, 404);
  EXPECT_EQ(desk.revision, revision);
}

TEST_F(ApiTest, WhatTheControllerRefusesKeepsItsStatusAndAnythingElseMayBeAskedAgain) {
  const auto number = std::to_string(begin());
  EXPECT_EQ(post("/api/trials/7/reports", R"({"reports": []})").status, 404);
  post("/api/trials/" + number + "/end", R"({"state": "COMPLETE", "value": 1})");
  EXPECT_EQ(post("/api/trials/" + number + "/reports", R"({"reports": []})").status, 409);
  EXPECT_EQ(post("/api/enqueue", R"({"request": "r", "parameters": {"train.lr": "fast"}})").status, 422);

  struct Full : StandInDesk {
    std::optional<Order> ask(const Worker&, const std::string&) override { throw Error("disk full"); }
  } full;
  Api other(full, parts());
  const Reply reply = other.answer("POST", "/api/trials", {}, R"({"request": "r", "worker": {"name": "w"}})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(error(reply), "disk full");
}

TEST_F(ApiTest, OnlyWhatChangedIsShownAgainAndAllOfItToWhoKnewAnEarlierController) {
  for (int i = 0; i < 5; ++i) post("/api/enqueue", R"({"request": ")" + std::to_string(i) + R"(", "parameters": {}})");
  const Json all = Json::parse(get("/api/trials").body);
  EXPECT_THAT(numbers(all), ElementsAre(0, 1, 2, 3, 4));
  const std::string since = std::to_string(all.at("revision").get<int>());
  const auto changed = [&](const std::string& incarnation) {
    return numbers(Json::parse(get("/api/trials", {{"since", since}, {"incarnation", incarnation}}).body));
  };
  EXPECT_THAT(changed("first"), IsEmpty());
  desk.touch(3);
  EXPECT_THAT(changed("first"), ElementsAre(3));
  EXPECT_THAT(changed("an earlier one"), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(ApiTest, WhoAsksForAFewAtATimeComesToSeeAllInTheirNewestForm) {
  for (int i = 0; i < 20; ++i) post("/api/enqueue", R"({"request": ")" + std::to_string(i) + R"(", "parameters": {}})");
  desk.touch(2);
  std::set<std::int64_t> seen;
  std::string since = "0";
  for (int round = 0; round < 10; ++round) {
    const Json some =
        Json::parse(get("/api/trials", {{"since", since}, {"incarnation", "first"}, {"limit", "7"}}).body);
    EXPECT_LE(some.at("trials").size(), 7u);
    for (const auto number : numbers(some)) seen.insert(number);
    if (some.at("trials").empty()) break;
    since = std::to_string(some.at("revision").get<int>());
    if (round == 1) desk.touch(0);
  }
  EXPECT_EQ(seen.size(), 20u);
  EXPECT_EQ(since, std::to_string(desk.revision));
}

TEST_F(ApiTest, ABareValueMeansNothingAmongSeveralObjectives) {
  StandInDesk two;
  two.sweep->objectives = {{"loss", Direction::kMinimize}, {"hours", Direction::kMinimize}};
  Api other(two, parts());
  ASSERT_EQ(other.answer("POST", "/api/trials", {}, R"({"request": "r", "worker": {"name": "w"}})").status, 200);
  EXPECT_EQ(other.answer("POST", "/api/trials/0/end", {}, R"({"state": "COMPLETE", "value": 1})").status, 422);
  EXPECT_EQ(other.answer("POST", "/api/trials/0/end", {}, R"({"state": "COMPLETE", "values": [1, 2]})").status, 200);
}

RequestHead head(const std::string& method = "GET", const std::string& path = "/api/study") {
  RequestHead head;
  head.method = method;
  head.path = path;
  head.address = "192.0.2.1";
  head.host = "127.0.0.1:8080";
  head.content_type = "application/json";
  head.length = 2;
  return head;
}

int status(Guard& guard, const RequestHead& request, Guard::Clock::time_point now = {}) {
  const auto objection = guard.object_to(request, now);
  return objection ? objection->status : 200;
}

TEST(Guard, AsksForTheTokenUnderTheApiAndForNothingElse) {
  GuardOptions options;
  options.token = "0123";
  Guard guard(options);
  RequestHead request = head();
  request.host = "node7.cluster:8080";
  for (const char* wrong :
       {"", "0123", "Bearer", "Bearer ", "Bearer 012", "Bearer 01234", "Basic 0123", "bearer 0124"}) {
    request.authorization = wrong;
    EXPECT_EQ(status(guard, request), 401) << wrong;
  }
  request.authorization = "Bearer 0123";
  EXPECT_EQ(status(guard, request), 200);
  request.authorization = "";
  for (const char* path : {"/", "/page.js", "/healthz"}) {
    request.path = path;
    EXPECT_EQ(status(guard, request), 200) << path;
  }
}

TEST(Guard, WithoutATokenOnlyThisMachinesOwnPageMayAsk) {
  Guard guard(GuardOptions{});
  for (const char* ours :
       {"127.0.0.1", "127.0.0.1:8080", "127.8.9.1:1", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]"}) {
    RequestHead request = head();
    request.host = ours;
    EXPECT_EQ(status(guard, request), 200) << ours;
  }
  for (const char* theirs : {"", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1",
                             "[::2]", "128.0.0.1", "2130706433", "127.1"}) {
    RequestHead request = head();
    request.host = theirs;
    EXPECT_EQ(status(guard, request), 403) << theirs;
  }
  RequestHead request = head("POST", "/api/stop");
  EXPECT_EQ(status(guard, request), 200);
  request.origin = "http://127.0.0.1:8080";
  EXPECT_EQ(status(guard, request), 200);
  for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1:8080", "http://127.0.0.1:8081"}) {
    request.origin = origin;
    EXPECT_EQ(status(guard, request), 403) << origin;
  }
}

TEST(Guard, TakesJsonOfADeclaredAndBoundedLength) {
  Guard guard(GuardOptions{});
  RequestHead request = head("POST", "/api/stop");
  request.content_type = "Application/JSON ; charset=utf-8";
  EXPECT_EQ(status(guard, request), 200);
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"}) {
    request.content_type = type;
    EXPECT_EQ(status(guard, request), 415) << type;
  }
  request = head("POST", "/api/stop");
  request.encoded = true;
  EXPECT_EQ(status(guard, request), 415);
  request.encoded = false;
  request.length = std::nullopt;
  EXPECT_EQ(status(guard, request), 411);
  request.length = GuardOptions{}.body_bytes + 1;
  EXPECT_EQ(status(guard, request), 413);
}

TEST(Guard, BoundsWhatOneAddressMayAskAndNobodyElsesRequests) {
  GuardOptions options;
  options.requests_per_second = 100;
  Guard guard(options);
  using std::chrono::milliseconds;
  const Guard::Clock::time_point start{};
  int answered = 0;
  for (int i = 0; i < 1000; ++i) answered += status(guard, head(), start) == 200;
  EXPECT_EQ(answered, 200);  // two seconds' worth
  EXPECT_EQ(status(guard, head(), start), 429);
  RequestHead other = head();
  other.address = "192.0.2.2";
  EXPECT_EQ(status(guard, other, start), 200);
  for (int i = 1; i <= 300; ++i) {  // as many as it may
    EXPECT_EQ(status(guard, head(), start + milliseconds(10 * i)), 200);
  }
}

}  // namespace
}  // namespace etude::sweep
