// The same work on oneTBB, as its users write it: a process of its own, which the benchmark orders
// work from (src/peers/onetbb.rs). It reads orders from its input and answers each with a line: what
// the work came to, and how many nanoseconds it took.
//
//     onetbb THREADS
//
// A thread that waits takes part in the work, so that there is one worker less. The exception is
// the round trip, which another thread is to run.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <future>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

namespace flow = tbb::flow;
using Clock = std::chrono::steady_clock;
using Value = std::uint64_t;

// As `fold` in src/graph.rs, from `fold({})` on.
static const Value FIRST = 1;
static Value folded(Value value, Value input) { return value * 31 + input; }

// As `Body::run` in src/body.rs.
static void body(std::uint32_t steps) {
    if (steps == 0) return;
    Value x = 1;
    asm volatile("" : "+r"(x));
    for (std::uint32_t i = 0; i < steps; ++i) x = x * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
    asm volatile("" : : "r"(x));
}

struct Graph {
    std::vector<std::vector<std::size_t>> inputs;
    std::vector<bool> is_end;
};

static Graph read_graph() {
    std::size_t tasks = 0;
    std::cin >> tasks;
    Graph graph{std::vector<std::vector<std::size_t>>(tasks), std::vector<bool>(tasks, true)};
    for (auto& inputs : graph.inputs) {
        std::size_t count = 0;
        std::cin >> count;
        inputs.resize(count);
        for (auto& input : inputs) {
            std::cin >> input;
            graph.is_end[input] = false;
        }
    }
    return graph;
}

// A node for each task, which runs when all of its inputs have; values lie beside the nodes, as what
// such a node is sent has none.
static Value run(const Graph& graph, std::uint32_t steps) {
    using Node = flow::continue_node<flow::continue_msg>;
    const std::size_t tasks = graph.inputs.size();
    std::vector<Value> values(tasks);
    flow::graph all;
    std::deque<Node> nodes;
    for (std::size_t task = 0; task < tasks; ++task) {
        const auto& inputs = graph.inputs[task];
        nodes.emplace_back(all, [&values, &inputs, task, steps](const flow::continue_msg&) {
            body(steps);
            Value value = FIRST;
            if (inputs.empty()) value = folded(value, task);
            for (std::size_t input : inputs) value = folded(value, values[input]);
            values[task] = value;
            return flow::continue_msg();
        });
        for (std::size_t input : inputs) flow::make_edge(nodes[input], nodes[task]);
    }
    for (std::size_t task = 0; task < tasks; ++task) {
        if (graph.inputs[task].empty()) nodes[task].try_put(flow::continue_msg());
    }
    all.wait_for_all();
    Value answer = FIRST;
    for (std::size_t task = 0; task < tasks; ++task) {
        if (graph.is_end[task]) answer = folded(answer, values[task]);
    }
    return answer;
}

static Value reduce(std::size_t first, std::size_t leaves) {
    if (leaves == 1) return folded(FIRST, first);
    const std::size_t half = leaves / 2;
    Value a = 0, b = 0;
    tbb::parallel_invoke([&] { a = reduce(first, half); }, [&] { b = reduce(first + half, half); });
    return folded(folded(FIRST, a), b);
}

static Value fib(std::uint32_t n) {
    if (n < 2) return n;
    Value a = 0, b = 0;
    tbb::parallel_invoke([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
    return a + b;
}

static Value spawn_all(std::size_t tasks) {
    std::vector<Value> results(tasks);
    tbb::task_group group;
    for (std::size_t n = 0; n < tasks; ++n) group.run([&results, n] { results[n] = n; });
    group.wait();
    Value sum = 0;
    for (Value result : results) sum += result;
    return sum;
}

static Value spawn_inside(std::size_t tasks) {
    Value sum = 0;
    tbb::task_group group;
    group.run_and_wait([&] { sum = spawn_all(tasks); });
    return sum;
}

static long nanoseconds_since(Clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
}

static void reply(Value value, long nanoseconds) {
    std::cout << value << ' ' << nanoseconds << std::endl;
}

template <typename Work> static void timed(Work work) {
    const auto begin = Clock::now();
    const Value value = work();
    reply(value, nanoseconds_since(begin));
}

// How long one task and its result take, again and again: the median of what the times are.
static void round_trips(tbb::task_arena& arena, std::size_t trips, long pause, std::uint32_t steps) {
    std::vector<long> times;
    bool right = true;
    for (std::size_t n = 0; n < trips; ++n) {
        std::this_thread::sleep_for(std::chrono::microseconds(pause));
        const auto begin = Clock::now();
        std::promise<Value> promise;
        auto result = promise.get_future();
        arena.enqueue([&promise, n, steps] {
            body(steps);
            promise.set_value(n + 1);
        });
        right &= result.get() == n + 1;
        times.push_back(nanoseconds_since(begin));
    }
    std::sort(times.begin(), times.end());
    reply(right, times[times.size() / 2]);
}

// As `by_stream` in src/streams.rs, but that a stage is serial here or has no limit of its own: both are parallel, and as
// many items are under way.
static Value pipeline(std::size_t items, std::uint32_t steps) {
    const std::size_t places = 8 + 2;
    Value next = 0, sum = 0;
    const auto stage = [steps](Value n) {
        body(steps);
        return n + 1;
    };
    tbb::parallel_pipeline(
        places,
        tbb::make_filter<void, Value>(
            tbb::filter_mode::serial_in_order,
            [&](tbb::flow_control& control) -> Value {
                if (next == items) {
                    control.stop();
                    return 0;
                }
                return next++;
            }) &
            tbb::make_filter<Value, Value>(tbb::filter_mode::parallel, stage) &
            tbb::make_filter<Value, Value>(tbb::filter_mode::parallel, stage) &
            tbb::make_filter<Value, void>(
                tbb::filter_mode::serial_in_order, [&](Value n) { sum += n; }));
    return sum;
}

int main(int, char** arguments) {
    const int threads = std::atoi(arguments[1]);
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    tbb::task_arena own(threads);
    tbb::task_arena others(std::max(1, threads - 1), 0);
    std::deque<Graph> graphs;
    std::string order;
    while (std::cin >> order) {
        // An order that hangs ends the process, which the benchmark notices.
        alarm(100);
        if (order == "graph") {
            graphs.push_back(read_graph());
            continue;
        }
        std::size_t n = 0;
        std::cin >> n;
        if (order == "trips") {
            long pause = 0;
            std::uint32_t steps = 0;
            std::cin >> pause >> steps;
            round_trips(others, n, pause, steps);
        } else if (order == "pace") {
            // The best of several, as whatever else runs can only slow it down.
            long best = std::numeric_limits<long>::max();
            for (int round = 0; round < 30; ++round) {
                const auto begin = Clock::now();
                body(n);
                best = std::min(best, nanoseconds_since(begin));
            }
            reply(1, best);
        } else if (order == "run") {
            std::uint32_t steps = 0;
            std::cin >> steps;
            own.execute([&] { timed([&] { return run(graphs[n], steps); }); });
        } else if (order == "stream") {
            std::uint32_t steps = 0;
            std::cin >> steps;
            own.execute([&] { timed([&] { return pipeline(n, steps); }); });
        } else if (order == "tree") {
            own.execute([&] { timed([&] { return reduce(0, n); }); });
        } else if (order == "fib") {
            own.execute([&] { timed([&] { return fib(n); }); });
        } else if (order == "outside") {
            own.execute([&] { timed([&] { return spawn_all(n); }); });
        } else if (order == "inside") {
            own.execute([&] { timed([&] { return spawn_inside(n); }); });
        } else {
            return 1;
        }
        alarm(0);
    }
}
