#include "jobs/virtual_switch/ping_pong.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace duet {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience{5};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::runtime_error network_error(const std::string& what) {
  return std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

class Socket {
 public:
  explicit Socket(int owned) : owned_{owned} {
    if (owned_ < 0) throw network_error("socket");
  }
  Socket(Socket&& other) noexcept : owned_{std::exchange(other.owned_, -1)} {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (owned_ >= 0) close(owned_);
  }
  [[nodiscard]] int get() const { return owned_; }

 private:
  int owned_;
};

sockaddr_in address_of(const SwitchHost& host, in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = port;
  if (inet_pton(AF_INET, host.address.c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error(fmt::format("'{}' is no IPv4 address", host.address));
  }
  return address;
}

void wait_for(const Socket& socket, short event, const char* what) {
  pollfd watched{socket.get(), event, 0};
  const int ready = poll(&watched, 1, static_cast<int>(std::chrono::milliseconds{patience}.count()));
  if (ready == 0) errno = ETIMEDOUT;
  if (ready <= 0) throw network_error(what);
}

void no_delay(const Socket& socket) {
  const int on = 1;
  if (setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) throw network_error("TCP_NODELAY");
}

/// Moves this thread to the host: into its network and to its cores.
void join(const SwitchHost& host) {
  enter_network(host);
  cpu_set_t cores;
  if (sched_getaffinity(host.process, sizeof cores, &cores) != 0 || sched_setaffinity(0, sizeof cores, &cores) != 0) {
    throw network_error(fmt::format("the cores of process {}", host.process));
  }
}

/// Runs `first` on `from` and `second` on `to`, at the two ends of a connection, each in a thread of its own within
/// that host's network.
void connected(const SwitchHost& from, const SwitchHost& to, const std::function<void(const Socket&)>& first,
               const std::function<void(const Socket&)>& second) {
  std::promise<in_port_t> listening;
  std::future<in_port_t> port = listening.get_future();
  auto server = std::async(std::launch::async, [&] {
    try {
      join(to);
      const Socket listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      sockaddr_in address = address_of(to, 0);
      socklen_t length = sizeof address;
      auto* const any = reinterpret_cast<sockaddr*>(&address);
      if (bind(listener.get(), any, length) != 0 || listen(listener.get(), 1) != 0 ||
          getsockname(listener.get(), any, &length) != 0) {
        throw network_error(fmt::format("listening on {}", to.address));
      }
      listening.set_value(address.sin_port);
      wait_for(listener, POLLIN, "waiting for the other host");
      const Socket end{accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      no_delay(end);
      second(end);
    } catch (...) {
      try {
        listening.set_exception(std::current_exception());
      } catch (const std::future_error&) {
        throw;  // the port was known: the caller finds the error here
      }
    }
  });
  auto client = std::async(std::launch::async, [&] {
    const sockaddr_in address = address_of(to, port.get());
    join(from);
    const Socket end{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    no_delay(end);
    const std::string what = fmt::format("connecting {} with {}", from.address, to.address);
    if (connect(end.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      if (errno != EINPROGRESS) throw network_error(what);
      wait_for(end, POLLOUT, what.c_str());
      socklen_t length = sizeof errno;
      if (getsockopt(end.get(), SOL_SOCKET, SO_ERROR, &errno, &length) != 0 || errno != 0) throw network_error(what);
    }
    first(end);
  });
  server.wait();
  client.get();
  server.get();
}

/// False where the other end has closed.
bool receive(const Socket& end, std::span<std::byte> message) {
  const Clock::time_point begin = Clock::now();
  std::size_t received = 0;
  while (received < message.size()) {
    const ssize_t count = recv(end.get(), &message[received], message.size() - received, MSG_DONTWAIT);
    if (count == 0) return false;
    if (count > 0) {
      received += static_cast<std::size_t>(count);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) throw network_error("receiving");
    // Who yields for longer on a busy machine gives away whole time slices, which are none of the network's.
    constexpr std::chrono::microseconds sleepless{200};
    if (Clock::now() - begin < sleepless) {
      sched_yield();
    } else {
      wait_for(end, POLLIN, "waiting for a message");
    }
  }
  return true;
}

void send_all(const Socket& end, std::span<const std::byte> message) {
  while (!message.empty()) {
    const ssize_t count = send(end.get(), message.data(), message.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      message = message.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      wait_for(end, POLLOUT, "sending");
    } else if (errno != EINTR) {
      throw network_error("sending");
    }
  }
}

}  // namespace

double half_round_trip(const SwitchHost& from, const SwitchHost& to, double budget_seconds) {
  constexpr int warm_up = 5;
  constexpr std::size_t at_least = 21;
  std::vector<double> round_trips;
  const auto ping = [&](const Socket& end) {
    std::array<std::byte, 8> message{};
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < warm_up || round_trips.size() < at_least || seconds_since(begin) < budget_seconds; ++i) {
      const Clock::time_point sent = Clock::now();
      send_all(end, message);
      if (!receive(end, message)) throw std::runtime_error("the other host closed the connection");
      if (i >= warm_up) round_trips.push_back(seconds_since(sent));
    }
    shutdown(end.get(), SHUT_WR);
  };
  const auto pong = [](const Socket& end) {
    std::array<std::byte, 8> message{};
    while (receive(end, message)) send_all(end, message);
  };
  connected(from, to, ping, pong);
  const auto decile = round_trips.begin() + static_cast<std::ptrdiff_t>(round_trips.size() / 10);
  std::ranges::nth_element(round_trips, decile);
  return *decile / 2;
}

double bandwidth(const SwitchHost& from, const SwitchHost& to, double budget_seconds) {
  constexpr std::size_t chunk = std::size_t{256} << 10U;
  std::atomic<bool> enough{false};
  const auto source = [&](const Socket& end) {
    const std::vector<std::byte> data(chunk);
    while (!enough) {
      pollfd watched{end.get(), POLLOUT, 0};
      if (poll(&watched, 1, 10) < 0) throw network_error("poll");
      const ssize_t count = send(end.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN && errno != EINTR) break;  // the other end has had enough
    }
    // What is still queued here is not worth its way through a slow network.
    const linger at_once{1, 0};
    setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  };
  double result = 0;
  const auto sink = [&](const Socket& end) {
    std::vector<std::byte> data(chunk);
    const Clock::time_point begin = Clock::now();
    Clock::time_point counted_from = begin;
    double bytes = -1;  // until the connection has gathered speed
    while (seconds_since(begin) < 1.2 * budget_seconds) {
      const ssize_t count = recv(end.get(), data.data(), data.size(), MSG_DONTWAIT);
      if (count == 0) break;
      if (count < 0 && errno != EAGAIN && errno != EINTR) throw network_error("receiving");
      if (bytes >= 0) {
        bytes += static_cast<double>(std::max<ssize_t>(count, 0));
      } else if (seconds_since(begin) > 0.2 * budget_seconds) {
        bytes = 0;
        counted_from = Clock::now();
      }
      if (count < 0) wait_for(end, POLLIN, "receiving");
    }
    result = bytes / seconds_since(counted_from);
    enough = true;
  };
  connected(from, to, source, sink);
  return result;
}

}  // namespace duet
