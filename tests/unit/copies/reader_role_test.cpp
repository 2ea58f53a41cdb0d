#include "harness/copies/sharing/reader_role.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(ReaderRole, IsAdmittedBeforeTheRejectingLine) {
  const std::string hba = "local all \"postgres\" peer map=pgrehearse\nlocal all all reject\n";
  const auto changed = hba_with_role(hba, "reader");
  EXPECT_EQ(changed, "local all \"reader\" peer map=pgrehearse\n" + hba);
  EXPECT_EQ(hba_with_role(changed, "reader"), changed);
}

TEST(ReaderRole, IsMappedFromTheAccountsOfTheSuperuser) {
  const std::string ident =
      "pgrehearse \"root\" \"postgres\"\npgrehearse \"pg\" \"postgres\"\n"
      "pgrehearse \"root\" \"app\"\n";
  const auto changed = ident_with_role(ident, "postgres", "reader");
  EXPECT_EQ(changed, ident +
                         "pgrehearse \"root\" \"reader\"\n"
                         "pgrehearse \"pg\" \"reader\"\n");
  EXPECT_EQ(ident_with_role(changed, "postgres", "reader"), changed);
}

}  // namespace
}  // namespace pgrehearse
