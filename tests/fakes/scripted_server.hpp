// A scripted PostgreSQL server. scripted_server.cpp defines the libpq functions that
// Connection uses; a program that lists it as a source links them instead of the library's.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

// While one exists, every connection that this process opens goes to it; without one, every
// connection fails. Only one may exist at a time. Safe to use from several threads.
class ScriptedServer {
 public:
  struct Failure {
    std::string sqlstate;
    std::string message;
  };
  struct Lost {
    std::string message = "server closed the connection unexpectedly";
  };
  struct Silence {};  // no answer until the statement is cancelled
  using Answer = std::variant<Rows, Failure, Lost, Silence>;
  using Respond = std::function<Answer(const std::string& sql)>;

  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // One column per value, named "column0" and so on.
  static Rows rows(std::vector<std::vector<Field>> values);
  static Rows row(std::vector<Field> values) { return rows({std::move(values)}); }

  // Answers each statement that contains `text`; the newest rule that fits wins. A rule with
  // several answers gives them in turn and then repeats its last.
  ScriptedServer& on(const std::string& text, Answer answer);
  ScriptedServer& on(const std::string& text, std::vector<Answer> answers);
  // For answers with side effects, or made from the statement.
  ScriptedServer& on_call(const std::string& text, Respond respond);

  // New connections fail with this message.
  void refuse(const std::string& message);
  // New connections wait for an answer that never comes.
  void ignore();
  void accept();
  void set_version(int version);

  // In order of arrival, over all connections.
  [[nodiscard]] std::vector<std::string> statements() const;
  [[nodiscard]] std::vector<ConnectionParameters> connections() const;
  // Statements that the client asked to cancel.
  [[nodiscard]] int cancelled() const;

  // For scripted_server.cpp.
  enum class Reception { accepted, refused, ignored };
  Reception receive(ConnectionParameters parameters, std::string& message, int& version);
  Answer answer(const std::string& sql);
  void cancel();

 private:
  struct Rule {
    std::string text;
    Respond respond;
  };

  mutable std::recursive_mutex mutex_;  // an answer may change the script
  std::deque<Rule> rules_;              // an answer may add one: references stay valid
  Reception reception_ = Reception::accepted;
  std::string refusal_;
  int version_ = 150004;
  std::vector<std::string> statements_;
  std::vector<ConnectionParameters> connections_;
  int cancelled_ = 0;
};

}  // namespace pgrehearse
