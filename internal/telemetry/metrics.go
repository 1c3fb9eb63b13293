package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// instruments are the metrics. Names and units follow the OpenTelemetry
// conventions: {line} is a count, By are bytes, s are seconds.
type instruments struct {
	runs        metric.Int64Counter
	runSeconds  metric.Float64Histogram
	outputs     metric.Int64Counter
	files       metric.Int64Counter
	fileSeconds metric.Float64Histogram
	lines       metric.Int64Counter
	bytes       metric.Int64Counter
	findings    metric.Int64Counter
	quarantined metric.Int64Counter
	faults      metric.Int64Counter
	beatAge     metric.Float64Histogram
	invocations metric.Float64Histogram
}

func newInstruments(m metric.Meter) (*instruments, error) {
	i := new(instruments)
	var errs []error
	count := func(into *metric.Int64Counter, name, unit, what string) {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		*into, errs = c, append(errs, err)
	}
	measure := func(into *metric.Float64Histogram, name, what string, bounds ...float64) {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		*into, errs = h, append(errs, err)
	}
	count(&i.runs, "fhirdeid.runs", "{run}", "runs that are over, by state")
	measure(&i.runSeconds, "fhirdeid.run.duration", "from a run's start to its end, by state", 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 72000, 259200)
	count(&i.outputs, "fhirdeid.outputs.fetched", "{output}", "outputs of the server that were fetched, by type")
	count(&i.files, "fhirdeid.files", "{file}", "files de-identified, by type and outcome")
	measure(&i.fileSeconds, "fhirdeid.file.duration", "from opening a raw file to committing its result", 0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1500)
	count(&i.lines, "fhirdeid.lines", "{line}", "lines of de-identified files, by outcome: written, dropped, quarantined")
	count(&i.bytes, "fhirdeid.bytes", "By", "bytes by direction: fetched, in, out")
	count(&i.findings, "fhirdeid.findings", "{finding}", "findings of the verifier, by severity")
	count(&i.quarantined, "fhirdeid.lines.quarantined", "{line}", "lines left out, by the code of the reason")
	count(&i.faults, "fhirdeid.faults", "{fault}", "foreseen faults that runs lived through, by code")
	measure(&i.beatAge, "fhirdeid.heartbeat.age", "how long ago the heartbeat before this one was", 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)
	measure(&i.invocations, "fhirdeid.invocation.duration", "invocations, by function and outcome", 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60, 300, 1500)
	return i, errors.Join(errs...)
}

// allowList is a view that takes attributes away that are not on the list.
func allowList() sdkmetric.View {
	return sdkmetric.NewView(sdkmetric.Instrument{Name: "*"}, sdkmetric.Stream{AttributeFilter: allowKeyValue})
}
