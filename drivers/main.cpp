#include "drivers/command.hpp"

int main(int argc, char** argv) { return duet::duet_main(argc, argv); }
