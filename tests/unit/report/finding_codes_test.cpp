#include "harness/report/finding_codes.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

const fs::path documents = PGREHEARSE_DOCUMENTS_DIRECTORY;

TEST(FindingCodes, TableHasEachCodeOnceInTheOrderOfTheEnumeration) {
  int expected = static_cast<int>(FindingCode::none);
  for (const auto& row : finding_code_table()) {
    EXPECT_EQ(static_cast<int>(row.code), ++expected) << row.text;
  }
  EXPECT_EQ(finding_code_table().back().code, FindingCode::wal_size) << "the last of them";
}

TEST(FindingCodes, EachRowIsComplete) {
  std::set<std::string_view> texts;
  for (const auto& row : finding_code_table()) {
    EXPECT_TRUE(texts.insert(row.text).second) << row.text << " is used twice";
    EXPECT_TRUE(std::regex_match(std::string(row.text), std::regex("PGR(-[A-Z]+){2,}")))
        << row.text;
    EXPECT_NE(row.likely_cause, LikelyCause::none) << row.text;
    EXPECT_NE(row.likely_cause, LikelyCause::pgrehearse) << row.text;
    EXPECT_GT(row.rank, 0) << row.text;
    EXPECT_LT(row.rank, last_rank) << row.text;
    EXPECT_FALSE(row.summary.empty()) << row.text;
    EXPECT_FALSE(row.summary.ends_with('.')) << row.text;
  }
}

TEST(FindingCodes, EachCodeIsFoundByItsText) {
  for (const auto& row : finding_code_table()) {
    EXPECT_EQ(finding_code_of(row.text), row.code) << row.text;
    EXPECT_EQ(text_of(row.code), row.text);
    EXPECT_EQ(severity_of(row.code), row.severity) << row.text;
    EXPECT_EQ(likely_cause_of(row.code), row.likely_cause) << row.text;
    EXPECT_EQ(rank_of(row.code), row.rank) << row.text;
  }
  EXPECT_EQ(finding_code_of("PGR-NO-SUCH-CODE"), FindingCode::none);
  EXPECT_EQ(text_of(FindingCode::none), "");
  EXPECT_EQ(likely_cause_of(FindingCode::none), LikelyCause::none);
}

TEST(FindingCodes, EachCodeHasAPageAndEachPageACode) {
  std::set<std::string> pages;
  for (const auto& entry : fs::directory_iterator(documents / "findings")) {
    const auto name = entry.path().stem().native();
    if (name.starts_with("PGR-")) pages.insert(name);
  }
  std::set<std::string> codes;
  for (const auto& row : finding_code_table()) codes.emplace(row.text);
  EXPECT_EQ(codes, pages);
}

TEST(FindingCodes, NamesAreReadBack) {
  for (const auto severity : all_severities) {
    EXPECT_EQ(parse_severity(name_of(severity)), severity) << name_of(severity);
  }
  for (const auto cause : all_likely_causes) {
    EXPECT_EQ(parse_likely_cause(name_of(cause)), cause) << name_of(cause);
  }
  EXPECT_FALSE(parse_severity("fatal"));
  EXPECT_FALSE(parse_likely_cause("instance"));
}

class ReportSchema : public testing::Test {
 protected:
  [[nodiscard]] std::set<std::string> values_of(const char* record, const char* key) const {
    return property(record, key).at("enum").get<std::set<std::string>>();
  }
  [[nodiscard]] nlohmann::json property(const char* record, const char* key) const {
    return schema_.at("$defs").at(record).at("properties").at(key);
  }

 private:
  nlohmann::json schema_ = nlohmann::json::parse(std::ifstream(documents / "report.schema.json"));
};

TEST_F(ReportSchema, AllowsExactlyTheLikelyCausesThatAreEmitted) {
  std::set<std::string> emitted;
  for (const auto cause : all_likely_causes) emitted.emplace(name_of(cause));
  EXPECT_EQ(values_of("diagnosis", "likely_cause"), emitted);
}

TEST_F(ReportSchema, AllowsExactlyTheSeveritiesThatAreEmitted) {
  std::set<std::string> emitted;
  for (const auto severity : all_severities) emitted.emplace(name_of(severity));
  EXPECT_EQ(values_of("finding", "severity"), emitted);
}

TEST_F(ReportSchema, AllowsEachCode) {
  for (const auto* record : {"diagnosis", "finding"}) {
    const std::regex pattern(property(record, "code").at("pattern").get<std::string>());
    for (const auto& row : finding_code_table()) {
      EXPECT_TRUE(std::regex_match(std::string(row.text), pattern)) << record << " " << row.text;
    }
  }
}

}  // namespace
}  // namespace pgrehearse
