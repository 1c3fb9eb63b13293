// Package telemetry carries out of the program what operators may know of it:
// log lines, traces and metrics. Nothing leaves that is not on one list of
// attributes (see Allowed), with a value of the form that the list has for it:
// runs, counts, codes and types, never a value from the data.
//
// Log lines are JSON on standard output, always; the Functions host carries
// them to Application Insights. Traces and metrics go by OTLP over HTTP to the
// endpoint of OTEL_EXPORTER_OTLP_ENDPOINT; where none is set, a nil Recorder
// takes its calls and does nothing.
//
// A run is one trace, whatever functions and instances work on it: the ids of
// the trace and of its stages are derived from the run, so that each
// instance finds them by itself.
package telemetry
