// Package model simulates a line of stages: items pass one stage after the other, each stage has
// workers, a queue before it, and perhaps batches. It is the engine of `alignpipe model`, and of
// the forecasts that replay a measured run.
//
// Describe a [Line] and call [Simulate]; [Sequence] runs lines one after the other. The simulation
// is one of discrete events, deterministic: the same line gives the same [Result], whatever the
// machine. It knows
//
//   - queues with a bound; a worker that finds the next queue full keeps its items and waits
//     (blocking after service), as a goroutine does that sends to a full channel;
//   - credits: at most Line.InFlight items are between entry and delivery;
//   - batches: a worker waits until a batch is full, or nothing more can come;
//   - [Resource]s that stages share: cores are divided evenly among the services that run on them
//     (processor sharing), a device serves one at a time in the order of asking;
//   - service times drawn from measured samples. A draw depends on the seed, the item and the
//     stage only, so two lines that are compared meet the same luck;
//   - barriers, serial parts, and items that need others.
//
// [Line.Bounds] is what can be said without simulating: the least time that each stage, resource
// and limit leaves for the run. [ParseSpec] reads the JSON of `alignpipe model`, and [Spec.Answer]
// is what the command prints.
package model
