// Runs the C++ unit tests; an argument selects those whose name contains it.
#include "check.h"

int main(int argc, char** argv) { return weir::check::run_tests(argc > 1 ? argv[1] : "") == 0 ? 0 : 1; }
