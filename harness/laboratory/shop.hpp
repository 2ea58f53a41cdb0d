// The databases `shop` and `crm` that the demo and the drill tests rehearse with; their SQL is in
// scenarios/demo.
#pragma once

#include <stop_token>

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

// `factor` 1: about 80 MB.
void load_shop(Laboratory& laboratory, double factor, const std::stop_token& stop);
// What happens after a backup: transactions, documents, schema changes. `round` is 1 or 2.
void work_in_shop(Laboratory& laboratory, double factor, int round, const std::stop_token& stop);

}  // namespace pgrehearse
