#include "sweep/server/server.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "sweep/client.h"
#include "sweep/server/certificate.h"
#include "tests/support/oracle.h"
#include "tests/sweep/raw_http.h"
#include "tests/sweep/stand_in_desk.h"

namespace etude::sweep {
namespace {

using std::chrono::steady_clock;
using sweep::testing::RawClient;
using sweep::testing::StandInDesk;
using sweep::testing::status_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kGet = "GET /api/study HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string post_of(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct ServerTest : ::testing::Test {
  void serve(const ServerOptions& options = {}) { server = std::make_unique<Server>(desk, options); }
  Client client(const std::string& token = "") const {
    ClientOptions options;
    options.url = server->url();
    options.token = token;
    return Client(options);
  }
  /// What curl prints, its options given.
  std::string curl(const std::string& options) const {
    return etude::testing::run_shell("curl -s --max-time 20 " + options).output;
  }
  Order begin() {
    auto to = client();
    return to.ask({"w", "h", 1, 1, 0}, "one").value();
  }

  StandInDesk desk;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AWorkerGoesThroughATrial) {
  serve();
  Client worker = client();
  const auto order = worker.ask({"node1:7", "node1", 1, 4, 0.5}, "word");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->number, 0);
  EXPECT_EQ(order->parameters.at("train.lr"), 0.001);
  EXPECT_EQ(order->lease, 120);
  EXPECT_EQ(worker.ask({"node1:7", "node1", 1, 4, 0.5}, "word")->number, 0);  // the same question
  EXPECT_EQ(desk.stints[0][0].worker.gpus, 0.5);

  desk.answer.allowance = 90;
  EXPECT_EQ(worker.report(0, {{10, {{"eval_loss", 0.5}}}, {20, {{"eval_loss", NAN}}}}).verdict, Verdict::kContinue);
  EXPECT_EQ(worker.heartbeat(0).allowance, 90);
  ASSERT_EQ(desk.trials[0].reports.size(), 2u);
  EXPECT_EQ(desk.trials[0].reports[0], (Report{10, 0.5}));
  EXPECT_TRUE(std::isnan(desk.trials[0].reports[1].value));
  desk.answer = {Verdict::kPause, "others first", -1};
  const Answer answer = worker.report(0, {{30, {{"eval_loss", 0.25}}}});
  EXPECT_EQ(answer.verdict, Verdict::kPause);
  EXPECT_EQ(answer.reason, "others first");
  EXPECT_LT(answer.allowance, 0);

  worker.tell(0, {TrialState::kComplete, {{"eval_loss", 0.25}}, ""});
  EXPECT_EQ(desk.trials[0].values, std::vector<double>{0.25});
  worker.stop();
  std::string over;
  EXPECT_FALSE(worker.ask({"node1:7", "node1", 1, 4, 0.5}, "another", &over));
  EXPECT_EQ(over, "stopped by hand");
}

TEST_F(ServerTest, ARefusalIsToldFromNobodyBeingThere) {
  serve();
  Client worker = client();
  try {
    worker.report(99, {});
    FAIL() << "there is no trial 99";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status(), 404);
  }
  EXPECT_EQ(worker.get("/api/study").at("name"), "demo");
  server.reset();
  EXPECT_THROW(worker.get("/api/study"), Unreachable);
  EXPECT_THROW(Client(ClientOptions{"node1:8080", "", "", 1, 1}), UsageError);
}

TEST_F(ServerTest, AWorkerFindsTheControllerAgainThatWasStartedAnew) {
  serve();
  ServerOptions same;
  same.port = server->port();
  Client worker = client();
  EXPECT_EQ(worker.get("/api/study").at("name"), "demo");
  server.reset();
  serve(same);
  EXPECT_EQ(worker.get("/api/study").at("name"), "demo");  // its connection was closed meanwhile
}

TEST_F(ServerTest, ATokenIsNeededForEverythingUnderTheApi) {
  ServerOptions options;
  options.token = new_token();
  EXPECT_EQ(options.token.size(), 64u);
  EXPECT_NE(options.token, new_token());
  serve(options);
  EXPECT_EQ(client(options.token).get("/api/study").at("name"), "demo");
  for (const std::string& wrong : {std::string(), options.token + "0", options.token.substr(1), new_token()}) {
    try {
      client(wrong).get("/api/study");
      FAIL() << "with '" << wrong << "'";
    } catch (const Refusal& refusal) {
      EXPECT_EQ(refusal.status(), 401);
      EXPECT_THAT(refusal.what(), Not(HasSubstr(options.token)));
    }
  }
  EXPECT_EQ(curl(server->url() + "/healthz"), R"({"ok":true})");
  EXPECT_THAT(curl(server->url() + "/"), HasSubstr("<html"));
}

TEST_F(ServerTest, WithoutATokenItListensToItsOwnMachineOnly) {
  for (const char* host : {"0.0.0.0", "::", "192.0.2.1"}) {
    ServerOptions options;
    options.host = host;
    EXPECT_THROW(serve(options), UsageError) << host;
  }
  serve();
  const std::string study = server->url() + "/api/study";
  const std::string status = "-o /dev/null -w '%{http_code}' ";
  EXPECT_EQ(curl(status + study), "200");
  EXPECT_EQ(curl(status + "-H 'Host: evil.example' " + study), "403");  // DNS rebinding
  const std::string stop = "-X POST -d '{}' " + server->url() + "/api/stop";
  EXPECT_EQ(curl(status + stop), "415");  // what a form of another site's page can send
  EXPECT_EQ(curl(status + "-H 'Content-Type: application/json' -H 'Origin: http://evil.example' " + stop), "403");
  EXPECT_EQ(desk.over, "");
  EXPECT_EQ(curl(status + "-H 'Content-Type: application/json' " + stop), "200");
  EXPECT_EQ(desk.over, "stopped by hand");
}

TEST_F(ServerTest, AnswersSayToBrowsersWhatTheyMayDo) {
  serve();
  for (const char* path : {"/", "/api/study", "/nowhere"}) {
    const std::string headers = curl("-D - -o /dev/null " + server->url() + path);
    EXPECT_THAT(headers, AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'self'"),
                               HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("unsafe")),
                               HasSubstr("X-Content-Type-Options: nosniff"), HasSubstr("Referrer-Policy: no-referrer"),
                               HasSubstr("Cross-Origin-Opener-Policy: same-origin"),
                               HasSubstr("Cross-Origin-Resource-Policy: same-origin"),
                               HasSubstr("Cache-Control: no-store"), Not(HasSubstr("Access-Control"))))
        << path;
  }
}

TEST_F(ServerTest, ForeignRequestsAreRefusedAndNothingAfterThemIsTakenForOne) {
  serve();
  begin();
  const std::string stop = post_of("/api/stop", "{}");
  const std::string json = "Content-Type: application/json\r\n";
  const struct {
    std::string sent;
    int status;
  } kRequests[] = {
      {"POST /api/enqueue HTTP/1.1\r\nHost: localhost\r\n" + json + "Content-Length: 9000000\r\n\r\n" + stop, 413},
      {"POST /api/enqueue HTTP/1.1\r\nHost: localhost\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
           stop,
       411},
      {"POST /api/enqueue HTTP/1.1\r\nHost: localhost\r\n" + json + "Content-Length: 2\r\nContent-Length: 0\r\n\r\n" +
           stop,
       411},
      {"POST /api/enqueue HTTP/1.1\r\nHost: localhost\r\n" + json + "Content-Length: -1\r\n\r\n" + stop, 411},
      {"POST /api/enqueue HTTP/1.1\r\nHost: localhost\r\n" + json +
           "Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n" + stop,
       415},
      {"GET /api/study HTTP/1.1\r\nHost: evil\r\nContent-Length: 5\r\n\r\n" + stop, 403},
      {"PUT /api/study HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405},
      {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n" + stop, 0},
      {"GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n" + stop, 0},
      {"nonsense\r\n\r\n" + stop, 400},
      {std::string(2000, '\0') + stop, 0},
      {"GET /%ff%00%2e%2e/../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
  };
  for (const auto& one : kRequests) {
    RawClient raw(server->port());
    raw.send(one.sent);
    const std::string answer = one.status == 405 || one.status == 404 ? raw.receive_answer() : raw.receive_all();
    const std::string shown = one.sent.substr(0, 60);
    if (one.status != 0) {
      EXPECT_EQ(status_of(answer), one.status) << shown;
    }
    EXPECT_NE(status_of(answer), 200) << shown;
    EXPECT_EQ(answer.find("HTTP/1.1 2"), std::string::npos) << shown;
  }
  EXPECT_EQ(desk.over, "");  // no one's "stop" was read out of another's body
  EXPECT_EQ(client().get("/api/study").at("name"), "demo");
}

TEST_F(ServerTest, SeveralRequestsComeOverOneConnection) {
  serve();
  RawClient raw(server->port());
  for (int i = 0; i < 20; ++i) {
    raw.send(kGet);
    EXPECT_EQ(status_of(raw.receive_answer()), 200);
  }
  raw.send(kGet + kGet);  // also without waiting
  EXPECT_EQ(status_of(raw.receive_answer()), 200);
}

TEST_F(ServerTest, WhoSendsByteByByteKeepsNobodyOutAndIsSentAway) {
  ServerOptions options;
  options.request_seconds = 1;
  serve(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 200; ++i) {
    slow.emplace_back(server->port());
    slow.back().send(i % 2 == 0 ? "GET /api/stu"
                                : "POST /api/stop HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  }
  EXPECT_EQ(client().get("/api/study").at("name"), "demo");
  std::atomic<bool> done = false;
  std::thread drip([&] {  // a byte now and then, so that no single read is slow
    while (!done) {
      for (RawClient& one : slow) one.send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  RawClient& watched = slow.front();
  watched.receive_all(20);
  done = true;
  drip.join();
  EXPECT_TRUE(watched.closed());
}

TEST_F(ServerTest, AHundredTrialsAtOnceAreAllAnswered) {
  serve();
  begin();
  constexpr int kTrials = 100, kReports = 20;
  std::atomic<int> answered = 0;
  std::vector<std::thread> trials;
  for (int i = 0; i < kTrials; ++i) {
    trials.emplace_back([&, i] {
      Client worker = client();
      for (int step = 0; step < kReports; ++step) {
        worker.report(0, {{kReports * i + step, {{"eval_loss", 0.5}}}});
        ++answered;
      }
    });
  }
  for (std::thread& trial : trials) trial.join();
  EXPECT_EQ(answered, kTrials * kReports);
  EXPECT_EQ(desk.trials[0].reports.size(), static_cast<std::size_t>(kTrials * kReports));
}

TEST_F(ServerTest, MoreClientsThanThereIsRoomForTakeTurns) {
  serve();
  std::vector<RawClient> idle;
  for (int i = 0; i < 450; ++i) {  // 384 may be there from one address
    idle.emplace_back(server->port());
    idle.back().send(kGet);
    ASSERT_EQ(status_of(idle.back().receive_answer()), 200) << i;
  }
}

TEST_F(ServerTest, ItStopsAtOnceWhoeverIsConnected) {
  serve();
  std::vector<RawClient> connected;
  for (int i = 0; i < 20; ++i) {
    connected.emplace_back(server->port());
    connected.back().send(i % 2 == 0 ? kGet : "GET /api/st");
  }
  connected.front().receive_answer();
  const auto began = steady_clock::now();
  server.reset();
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(9));  // less than any connection would be waited for
  for (RawClient& one : connected) {
    one.receive_all(5);
    EXPECT_TRUE(one.closed());
  }
}

TEST_F(ServerTest, APortInUseIsAClearWord) {
  serve();
  ServerOptions same;
  same.port = server->port();
  StandInDesk other;
  try {
    Server second(other, same);
    FAIL() << "two controllers listen on one port";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(std::to_string(same.port)), HasSubstr("in use")));
  }
}

TEST_F(ServerTest, TooManyRequestsOfOneAddressAreToldToWait) {
  ServerOptions options;
  options.requests_per_second = 5;
  serve(options);
  RawClient raw(server->port());
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    raw.send(kGet);
    const std::string answer = raw.receive_answer();
    if (status_of(answer) == 429) {
      ++refused;
      EXPECT_THAT(answer, HasSubstr("Retry-After"));
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_THROW(client().get("/api/study"), Unreachable);  // worth trying again
}

TEST_F(ServerTest, IsFoundByWhateverNameThisMachineHas) {
  serve();
  const std::string port = std::to_string(server->port());
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + port);
  EXPECT_EQ(server->url("node7"), "http://node7:" + port);
  EXPECT_EQ(server->url("fe80::1"), "http://[fe80::1]:" + port);
}

etude::testing::ShellResult make_certificate(const std::string& key, const std::string& certificate,
                                             const std::string& names) {
  return etude::testing::run_shell(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=" +
      names + " -keyout " + key + " -out " + certificate);
}

TEST(Certificate, IsForThoseWhomItNamesAndForItsTime) {
  const etude::testing::TemporaryFolder folder;
  const std::string key = folder.path() / "key.pem", certificate = folder.path() / "cert.pem";
  const auto made = make_certificate(key, certificate, "DNS:node7,DNS:*.cluster.example,IP:10.0.0.7");
  if (made.exit_code != 0) GTEST_SKIP() << "no openssl program to make a certificate: " << made.errors;
  for (const char* host : {"node7", "NODE7", "login.cluster.example", "10.0.0.7"}) {
    EXPECT_NO_THROW(check_certificate(certificate, host)) << host;
  }
  for (const char* host : {"node8", "localhost", "10.0.0.8", "a.b.cluster.example"}) {
    EXPECT_THROW(check_certificate(certificate, host), UsageError) << host;
  }
  constexpr std::time_t kDay = 24 * 60 * 60;
  const std::time_t now = std::time(nullptr);
  EXPECT_NO_THROW(check_certificate(certificate, "node7", now + kDay));
  EXPECT_THROW(check_certificate(certificate, "node7", now + 3 * kDay), UsageError);
  EXPECT_THROW(check_certificate(certificate, "node7", now - kDay), UsageError);
  EXPECT_THROW(check_certificate(key, "node7"), UsageError);
  EXPECT_THROW(check_certificate(folder.path() / "none.pem", "node7"), UsageError);
}

TEST_F(ServerTest, SpeaksHttpsWithACertificateThatTheWorkerWasGiven) {
  const etude::testing::TemporaryFolder folder;
  const std::string key = folder.path() / "key.pem", certificate = folder.path() / "cert.pem";
  const auto made = make_certificate(key, certificate, "DNS:localhost,IP:127.0.0.1");
  if (made.exit_code != 0) GTEST_SKIP() << "no openssl program to make a certificate: " << made.errors;
  ServerOptions options;
  options.certificate = certificate;
  options.key = key;
  options.token = new_token();
  serve(options);
  EXPECT_THAT(server->url(), ::testing::StartsWith("https://"));

  ClientOptions trusting{server->url(), options.token, certificate, 5, 10};
  Client worker(trusting);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(worker.get("/api/study").at("name"), "demo");
  ClientOptions wary = trusting;
  wary.certificate.clear();
  EXPECT_THROW(Client(wary).get("/api/study"), Unreachable);

  const std::string bearer = "-H 'Authorization: Bearer " + options.token + "' ";
  EXPECT_THAT(curl("--cacert " + certificate + " " + bearer + server->url() + "/api/study"), HasSubstr("\"demo\""));
  EXPECT_EQ(curl("--cacert " + certificate + " --tls-max 1.1 " + bearer + server->url() + "/api/study"), "");
  RawClient plain(server->port());
  plain.send(kGet);
  EXPECT_EQ(plain.receive_all().find("HTTP/1.1 200"), std::string::npos);

  options.key = certificate;
  EXPECT_THROW(serve(options), UsageError);
  options.key.clear();
  EXPECT_THROW(serve(options), UsageError);
}

// The worker of docs/sweep-api.md, as it stands there.
TEST_F(ServerTest, TheWorkerOfTheManualWorks) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no Python (script/setup --test)";
  const std::string manual = etude::testing::slurp(std::string(ETUDE_SOURCE_DIR) + "/docs/sweep-api.md");
  const auto begin = manual.find("```python\n");
  ASSERT_NE(begin, std::string::npos);
  const std::string script = manual.substr(begin + 10, manual.find("```", begin + 10) - begin - 10);
  ServerOptions options;
  options.token = new_token();
  serve(options);
  std::thread ends([&] {  // so that the worker has two trials
    for (int i = 0; i < 1000; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const std::lock_guard lock(desk.mutex);
      if (desk.trials.size() >= 2) {
        desk.over = "budget: 2 trials";
        return;
      }
    }
  });
  const etude::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "token") << options.token << "\n";
  etude::testing::run_python(script, {server->url(), (folder.path() / "token").string()});
  ends.join();
  ASSERT_GE(desk.trials.size(), 2u);
  for (const Trial& trial : desk.trials) {
    EXPECT_EQ(trial.state, TrialState::kComplete);
    EXPECT_FALSE(trial.reports.empty());
    EXPECT_EQ(trial.values.size(), 1u);
  }
}

}  // namespace
}  // namespace etude::sweep
