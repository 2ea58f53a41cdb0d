#include "harness/scenario/language/yaml_source.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace pgrehearse {

namespace {

// Scenarios have at most five levels.
constexpr std::size_t deepest_level = 32;
constexpr auto hint_for_syntax = "check quotes and indentation; tabs are not allowed";

SourcePosition position_of(const YAML::Mark& mark, const YamlOrigin& origin) {
  if (!origin.has_lines) return {.file = origin.name};
  return {.file = origin.name, .line = mark.line + 1, .column = mark.column + 1};
}

class TooDeep {};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& text, const YamlOrigin& origin, std::vector<ScenarioError>& errors)
      : text_(text), origin_(origin), errors_(errors) {}

  YamlNode take() { return std::move(root_); }
  // At an unexpected token yaml-cpp would report documents endlessly.
  [[nodiscard]] bool may_go_on() const { return documents_ < 2; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents_;
    if (documents_ < 2) return;
    if (is_document_mark(mark)) {
      report(mark, "a second document starts here", "put each scenario into its own file");
    } else {
      report(mark, "not valid YAML: unexpected content after the document", hint_for_syntax);
    }
  }
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    report(mark, fmt::format("anchor '&{}' is not allowed in a scenario", name),
           "repeat the value where it is needed");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    report(mark, "an alias is not allowed in a scenario", "repeat the value");
    add(node(YamlNode::Kind::unusable, mark));
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    add(node(YamlNode::Kind::null, mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    YamlNode scalar = node(YamlNode::Kind::scalar, mark);
    scalar.text = value;
    scalar.written = value;
    scalar.quoted = tag == "!";
    refuse_tag(mark, tag);
    if (scalar.quoted && !is_closed_quote(mark)) {
      report(mark, "unterminated quote", "");
      scalar.kind = YamlNode::Kind::unusable;
    }
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    refuse_tag(mark, tag);
    begin(node(YamlNode::Kind::sequence, mark));
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    refuse_tag(mark, tag);
    begin(node(YamlNode::Kind::map, mark));
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlNode> key;  // of a map; set while its value has not been read
  };

  [[nodiscard]] YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) const {
    return {.kind = kind, .position = position_of(mark, origin_)};
  }

  void report(const YAML::Mark& mark, std::string message, std::string hint) {
    errors_.push_back({position_of(mark, origin_), std::move(message), std::move(hint)});
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    report(mark, fmt::format("tag '{}' is not allowed in a scenario", tag), "remove the tag");
  }

  // yaml-cpp accepts the end of the text as the closing quote.
  [[nodiscard]] bool is_closed_quote(const YAML::Mark& mark) const {
    if (text_.starts_with("\xEF\xBB\xBF") || mark.pos < 0) return true;
    auto at = static_cast<std::size_t>(mark.pos);
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return true;
    const char quote = text_[at];
    for (++at; at < text_.size(); ++at) {
      if (quote == '"' && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == quote) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool is_document_mark(const YAML::Mark& mark) const {
    const auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
    return at <= text_.size() && std::string_view(text_).substr(at).starts_with("---");
  }

  void begin(YamlNode opened) {
    if (open_.size() >= deepest_level) {
      errors_.push_back(
          {opened.position, "nested too deeply", "scenarios have at most five levels"});
      throw TooDeep();
    }
    open_.push_back({std::move(opened), {}});
  }

  void end() {
    YamlNode closed = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(closed));
  }

  void add(YamlNode added) {
    if (open_.empty()) {
      if (documents_ <= 1) root_ = std::move(added);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(added));
    } else if (!parent.key) {
      if (added.kind != YamlNode::Kind::scalar && added.kind != YamlNode::Kind::unusable) {
        errors_.push_back({added.position, "a key must be a single word", ""});
      }
      parent.key = std::move(added);
    } else {
      add_entry(parent, std::move(added));
    }
  }

  static void add_entry(Open& parent, YamlNode value) {
    // For an empty value yaml-cpp reports the position of the next token.
    if (value.kind == YamlNode::Kind::null) value.position = parent.key->position;
    if (parent.key->kind == YamlNode::Kind::scalar) {
      parent.node.entries.push_back(
          {std::move(parent.key->text), std::move(parent.key->position), std::move(value)});
    }
    parent.key.reset();
  }

  const std::string& text_;
  const YamlOrigin& origin_;
  std::vector<ScenarioError>& errors_;
  std::vector<Open> open_;
  YamlNode root_;
  int documents_ = 0;
};

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const YamlEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

YamlEntry* YamlNode::find(std::string_view key) {
  return const_cast<YamlEntry*>(std::as_const(*this).find(key));
}

YamlNode parse_yaml(const std::string& text, const YamlOrigin& origin,
                    std::vector<ScenarioError>& errors) {
  TreeBuilder builder(text, origin, errors);
  YamlNode unusable{
      .kind = YamlNode::Kind::unusable,
      .position = {.file = origin.name, .line = origin.has_lines ? 1 : 0, .column = 1}};
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (builder.may_go_on() && parser.HandleNextDocument(builder)) {
    }
  } catch (const TooDeep&) {
    return unusable;
  } catch (const YAML::Exception& error) {
    errors.push_back(
        {position_of(error.mark, origin), "not valid YAML: " + error.msg, hint_for_syntax});
    return unusable;
  }
  return builder.take();
}

}  // namespace pgrehearse
