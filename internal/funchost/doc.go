// Package funchost is a STAND-IN for the Azure Functions host. It is not
// Microsoft's host and it never runs in Azure: it exists so that the function
// app can be started, watched and broken on one machine and in tests, where the
// real host ("func start") is not installed or cannot be made to fail on
// request.
//
// It does what a custom handler can observe of the real host, version 4:
//
//   - it reads host.json and the function.json files of a staged app, with
//     %SETTING% names and AzureFunctionsJobHost__… overrides;
//   - it starts the handler process, waits until it answers, restarts it and
//     gives up on it by the host's rules;
//   - it listens to timers, queues and blobs (by scanning a container or by the
//     Event Grid webhook) and posts each event to the handler, byte for byte in
//     the host's envelope;
//   - it judges the reply as the host does, including the replies that make an
//     invocation hang, and renews, releases, deletes or poisons the message;
//   - it answers the admin endpoint and the blob webhook.
//
// What is imitated was measured on a running host. The tests hold this package
// against those recordings.
//
// The parts, from the outside in: [Host] owns everything; a listener per
// trigger (queuelistener.go, timerlistener.go, blobscan.go) makes invocations;
// invoke.go carries one through time-out, retry policy and faults; caller.go is
// the HTTP client; worker.go keeps the handler process alive. [Faults] are the
// switches by which a test makes the world unfriendly.
package funchost
