#include "jobs/virtual_switch/tap_switch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <stdexcept>
#include <utility>

namespace duet {
namespace {

/// struct virtio_net_hdr, which stands before each frame; <linux/virtio_net.h> is no C++.
constexpr std::size_t offload_header_bytes = 10;
constexpr std::size_t largest_frame_bytes = 65536 + 64;
/// Frames up to this size are copied out of the buffer that was read into, larger ones take it along.
constexpr std::size_t small_frame_bytes = 4096;
/// What one port may hold; TCP's windows keep the queues of eight hosts far below.
constexpr std::size_t queue_limit_bytes = std::size_t{256} << 20U;

std::runtime_error system_error(const std::string& what) {
  return std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

SwitchTime now() { return std::chrono::steady_clock::now().time_since_epoch(); }

using Frame = std::vector<std::byte>;

struct Delivery {
  SwitchTime due;
  Frame frame;
};

/// A TAP device's file, and the frames that are on their way to its host.
struct Port {
  int file = -1;
  bool broken = false;
  std::deque<Delivery> queue{};
  std::size_t queued_bytes = 0;
};

int open_tap(const SwitchHost& host, const std::string& device) {
  int file = -1;
  std::optional<std::runtime_error> failure;
  // A TAP belongs to the namespace of the thread that opens it, and only a thread that ends has no way back to find.
  std::thread([&] {
    try {
      enter_network(host);
      file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
      if (file < 0) throw system_error("/dev/net/tun");
      ifreq request{};
      device.copy(static_cast<char*>(request.ifr_name), IFNAMSIZ - 1);
      request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
      int header = static_cast<int>(offload_header_bytes);
      if (ioctl(file, TUNSETIFF, &request) != 0 || ioctl(file, TUNSETVNETHDRSZ, &header) != 0 ||
          ioctl(file, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) {
        throw system_error(fmt::format("TAP device {} of process {}", device, host.process));
      }
    } catch (const std::runtime_error& error) {
      failure = error;
    }
  }).join();
  if (failure) {
    if (file >= 0) close(file);
    throw std::runtime_error(*failure);
  }
  return file;
}

/// How late a sleep ends here, nine times out of ten: 20 to 50 microseconds on virtual machines, a few on others.
SwitchTime usual_lateness() {
  constexpr int sleeps = 30;
  constexpr SwitchTime pause = std::chrono::microseconds{200};
  std::vector<SwitchTime> lateness;
  for (int i = 0; i < sleeps; ++i) {
    const SwitchTime begin = now();
    const timespec limit{0, pause.count()};
    ppoll(nullptr, 0, &limit, nullptr);
    lateness.push_back(now() - begin - pause);
  }
  std::ranges::sort(lateness);
  return std::clamp(lateness[sleeps * 9 / 10], SwitchTime::zero(), SwitchTime{std::chrono::microseconds{200}});
}

}  // namespace

void enter_network(const SwitchHost& host) {
  const std::string network = fmt::format("/proc/{}/ns/net", host.process);
  const int file = open(network.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw system_error(network);
  const int entered = setns(file, CLONE_NEWNET);
  const int reason = errno;
  close(file);
  errno = reason;
  if (entered != 0) throw system_error(network);
}

class TapSwitch::Ports {
 public:
  Ports(const std::vector<SwitchHost>& hosts, const std::string& device, double bytes_per_second)
      : forwarding_{static_cast<int>(hosts.size()), bytes_per_second}, ports_(hosts.size()), watched_(hosts.size()) {
    for (std::size_t i = 0; i < hosts.size(); ++i) ports_[i].file = open_tap(hosts[i], device);
  }
  ~Ports() {
    for (const Port& port : ports_) {
      if (port.file >= 0) close(port.file);
    }
  }
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  /// Sleeps until a frame comes in or one is due but for `margin`, at the longest a tenth of a second.
  void wait(SwitchTime margin) {
    SwitchTime pause = std::chrono::milliseconds{100};
    const SwitchTime begin = now();
    for (const Port& port : ports_) {
      if (!port.queue.empty()) pause = std::min(pause, port.queue.front().due - begin - margin);
    }
    pause = std::max(pause, SwitchTime::zero());
    for (std::size_t i = 0; i < ports_.size(); ++i) watched_[i] = {ports_[i].broken ? -1 : ports_[i].file, POLLIN, 0};
    const timespec limit{pause.count() / 1'000'000'000, pause.count() % 1'000'000'000};
    if (ppoll(watched_.data(), watched_.size(), &limit, nullptr) < 0 && errno != EINTR) throw system_error("poll");
  }

  /// Takes in what the hosts have sent.
  void receive(SwitchTime delay) {
    constexpr int frames_at_once = 64;  // what is due must not wait for a host that floods
    for (std::size_t from = 0; from < ports_.size(); ++from) {
      if ((watched_[from].revents & POLLERR) != 0) ports_[from].broken = true;
      if ((watched_[from].revents & POLLIN) == 0) continue;
      for (int i = 0; i < frames_at_once; ++i) {
        buffer_.resize(offload_header_bytes + largest_frame_bytes);
        const ssize_t count = read(ports_[from].file, buffer_.data(), buffer_.size());
        if (count <= static_cast<ssize_t>(offload_header_bytes)) break;
        buffer_.resize(static_cast<std::size_t>(count));
        enqueue(static_cast<int>(from), delay);
      }
    }
  }

  /// Hands over what is due.
  void deliver() {
    const SwitchTime time = now();
    for (Port& port : ports_) {
      while (!port.queue.empty() && port.queue.front().due <= time) {
        Frame& frame = port.queue.front().frame;
        // A host whose link is down, or that is gone, loses the frame, as on a wire.
        const ssize_t written = port.broken ? 0 : write(port.file, frame.data(), frame.size());
        if (written < 0 && errno == EAGAIN) break;
        port.queued_bytes -= frame.size();
        if (frame.size() > small_frame_bytes && spare_.size() < spare_limit) spare_.push_back(std::move(frame));
        port.queue.pop_front();
      }
    }
  }

 private:
  /// Puts the frame in `buffer_` into the queues of the ports that it goes to.
  void enqueue(int from, SwitchTime delay) {
    const std::span<const std::byte> frame = std::span<const std::byte>{buffer_}.subspan(offload_header_bytes);
    const std::vector<int> targets = forwarding_.route(from, frame);
    const SwitchTime sent = now();
    const std::size_t bytes = buffer_.size();
    for (const int to : targets) {
      Port& port = ports_[static_cast<std::size_t>(to)];
      if (port.broken || port.queued_bytes + bytes > queue_limit_bytes) continue;
      const SwitchTime due = forwarding_.transfer(from, to, frame.size(), sent) + delay;
      if (bytes <= small_frame_bytes || targets.size() > 1) {
        port.queue.push_back({due, Frame{buffer_.begin(), buffer_.end()}});
      } else {
        port.queue.push_back({due, std::move(buffer_)});
        buffer_ = spare_.empty() ? Frame{} : std::move(spare_.back());
        if (!spare_.empty()) spare_.pop_back();
      }
      port.queued_bytes += bytes;
    }
  }

  static constexpr std::size_t spare_limit = 256;

  Forwarding forwarding_;
  std::vector<Port> ports_;
  std::vector<pollfd> watched_;
  Frame buffer_;
  std::vector<Frame> spare_;  ///< buffers of frames that were delivered
};

TapSwitch::TapSwitch(const std::vector<SwitchHost>& hosts, const std::string& device, double bytes_per_second)
    : ports_{std::make_unique<Ports>(hosts, device, bytes_per_second)} {
  thread_ = std::thread([this] { forward(); });
}

TapSwitch::~TapSwitch() {
  stop_ = true;
  wait();
}

void TapSwitch::wait() {
  if (thread_.joinable()) thread_.join();
}

void TapSwitch::forward() {
  prctl(PR_SET_TIMERSLACK, 1000);  // nanoseconds; timers are 50 us late by default
  sched_param priority{};
  priority.sched_priority = 20;
  pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);  // without the right to it: at normal priority
  try {
    const SwitchTime margin = usual_lateness();
    while (!stop_) {
      ports_->wait(margin);
      ports_->receive(SwitchTime{delay_});
      ports_->deliver();
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "virtual_switch: {}\n", error.what());
  }
}

}  // namespace duet
