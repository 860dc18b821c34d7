#include "tests/drivers/report/browser.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "drivers/study/launch.hpp"

namespace duet {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

void write(const fs::path& path, std::string_view content) {
  std::ofstream file{path, std::ios::binary};
  file << content;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string between(const std::string& text, std::string_view before, std::string_view after) {
  const std::size_t begin = text.find(before);
  if (begin == std::string::npos) return {};
  const std::size_t from = begin + before.size();
  return text.substr(from, text.find(after, from) - from);
}

/// `page` with a last script that tells its surrounding frame what the probe gives.
std::string probed(const std::string& page, std::string_view probe) {
  const std::string nonce = between(page, "<script nonce=\"", "\"");
  const std::string script = fmt::format(R"(<script nonce="{}">
    {{
      let told;
      try {{ told = (() => {{ {} }})(); }} catch (error) {{ told = {{ probe_error: String(error.stack) }}; }}
      parent.postMessage(JSON.stringify(told), "*");
    }}
    </script>)",
                                         nonce, probe);
  const std::size_t end = page.rfind("</body>");
  return page.substr(0, end) + script + page.substr(end);
}

/// A frame as wide as asked: a browser's own window is never narrower than 500 pixels.
std::string frame_around(const std::string& page_name, int width) {
  return fmt::format(R"(<!DOCTYPE html><body><pre id="probe"></pre><script>
    const escaped = {{ "<": "\\u003c", ">": "\\u003e", "&": "\\u0026" }};
    onmessage = ({{ data }}) => {{
      document.getElementById("probe").textContent = data.replace(/[<>&]/g, (letter) => escaped[letter]);
    }};
    </script><iframe src="{}" width="{}" height="2000"></iframe></body>)",
                     page_name, width);
}

std::vector<std::string> console_in(const std::string& log) {
  std::vector<std::string> lines;
  std::istringstream stream{log};
  for (std::string line; std::getline(stream, line);) {
    if (line.find(":CONSOLE:") != std::string::npos) lines.push_back(line);
  }
  return lines;
}

/// Addresses that pages asked for, from the browser's log of its network. What the browser wants for itself (the time,
/// updates) has no page as its origin.
std::vector<std::string> requests_in(const std::string& log) {
  std::vector<std::string> addresses;
  const nlohmann::json parsed = nlohmann::json::parse(log);
  for (const nlohmann::json& event : parsed.at("events")) {
    const auto params = event.find("params");
    if (params == event.end() || !params->contains("url") || !params->contains("initiator")) continue;
    const auto url = params->at("url").get<std::string>();
    const bool by_page = params->at("initiator") != "not an origin";
    if (by_page && (url.starts_with("http") || url.starts_with("ws"))) addresses.push_back(url);
  }
  return addresses;
}

}  // namespace

std::string installed_browser() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders{path == nullptr ? "" : path};
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const char* const name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string candidate = folder + "/" + name;
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return {};
}

Visit Browser::open(const std::string& page, std::string_view probe, int width,
                    const std::vector<std::string>& options) {
  const std::string number = std::to_string(++visits_);
  const fs::path document = folder_ / ("document-" + number);
  const fs::path log = folder_ / ("log-" + number);
  const fs::path network = folder_ / ("network-" + number);
  write(folder_ / ("page-" + number + ".html"), probed(page, probe));
  write(folder_ / ("frame-" + number + ".html"), frame_around("page-" + number + ".html", width));

  Command command{"sh", "-c", R"(out=$1; log=$2; shift 2; exec "$@" >"$out" 2>"$log")", "sh", document.string(),
                  log.string(), installed_browser(), "--headless", "--no-sandbox", "--disable-gpu",
                  "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-default-apps", "--disable-sync",
                  // No name is ever resolved: a request shows in the log and leaves the machine alone.
                  "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + (folder_ / "profile").string(),
                  "--log-net-log=" + network.string(), "--enable-logging=stderr", "--window-size=1400,2200",
                  "--virtual-time-budget=4000", "--dump-dom"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back("file://" + (folder_ / ("frame-" + number + ".html")).string());

  constexpr double limit_seconds = 60;
  const StopSignals stop;
  const Ending ending = run_process(command, limit_seconds, stop);
  const std::string said = content_of(log);
  if (ending.how != Ending::How::exited || ending.code != 0) {
    throw std::runtime_error("the browser did not end well:\n" + ending.output + said);
  }
  Visit visit{.document = content_of(document),
              .probe = nullptr,
              .console = console_in(said),
              .requests = requests_in(content_of(network))};
  const std::string told = between(visit.document, "<pre id=\"probe\">", "</pre>");
  if (!told.empty()) visit.probe = nlohmann::json::parse(told);
  return visit;
}

}  // namespace duet
