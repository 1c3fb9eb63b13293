// Package handlers answers the Functions host: a file per trigger decodes the
// host's envelope, calls the pipeline and answers.
//
// The host talks to a custom handler over HTTP on the loopback address: it
// posts {"Data":…,"Metadata":…} to /<FunctionName> and takes any 2xx with a JSON
// object for success. Some of its ways are surprising, and what follows from
// them is done here, in one place:
//
//   - A 2xx without a JSON object hangs the invocation until its time-out, so
//     every answer is a JSON object.
//   - A time-out kills the handler with everything it is doing, and two at once
//     end the host, so work is stopped before the host would.
//   - A blob trigger can fall back in silence to sending the whole blob, so a
//     body is bounded, and content is refused with an error that says why.
//   - Blob events come for any container and any name, so both are checked.
//   - Values are JSON in strings in JSON, sometimes, so decoding is tolerant.
package handlers
