// The Error that an action throws; a test that expects one and gets none fails.
#pragma once

#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {

template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorKind::internal, "none"};
}

}  // namespace pgrehearse
