#include "harness/cli/command_table.hpp"

int main(int argc, char** argv) { return pgrehearse::run_command_line(argc, argv); }
