// Reads a report's model from standard input and writes its page: what the page's tests open.
#include <iostream>

#include <nlohmann/json.hpp>

#include "report/page/page.h"

int main() {
  std::cout << etude::report::html_page(nlohmann::json::parse(std::cin));
  return std::cout.flush() ? 0 : 1;
}
