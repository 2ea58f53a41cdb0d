// Compares two catalogs as sorted streams.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// One kind of entries: expected ones are pulled, actual ones pushed.
class CatalogMerge {
 public:
  // The next expected entry without taking it, nullptr after the last; and taking it.
  struct Expected {
    std::function<const CatalogEntry*()> peek;
    std::function<void()> pop;
  };
  struct Differences {
    std::function<void(const CatalogEntry& expected)> missing;
    std::function<void(const CatalogEntry& actual)> extra;
    std::function<void(const CatalogEntry& expected, const CatalogEntry& actual)> changed;
  };
  CatalogMerge(Expected expected, Differences differences)
      : expected_(std::move(expected)), differences_(std::move(differences)) {}

  void push(const CatalogEntry& actual);
  // Reports all remaining expected entries as missing.
  void finish();

 private:
  Expected expected_;
  Differences differences_;
};

// Which parts of two definitions differ: "body: \"a\" instead of \"b\"; columns.id: ...".
std::string difference_of(const std::string& expected, const std::string& actual);

}  // namespace pgrehearse
