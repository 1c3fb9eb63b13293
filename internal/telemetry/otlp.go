package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// serviceName is the program's name in traces and metrics, unless
// OTEL_SERVICE_NAME gives another.
const serviceName = "fhirdeid"

// Configured reports whether the environment names a place for traces and
// metrics, by the variables that every OpenTelemetry SDK reads.
func Configured(lookup func(string) (string, bool)) bool {
	if off, _ := lookup("OTEL_SDK_DISABLED"); strings.EqualFold(off, "true") {
		return false
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"} {
		if v, _ := lookup(name); v != "" {
			return true
		}
	}
	return false
}

// OTLP returns a recorder that sends traces and metrics by OTLP over HTTP, as
// the variables OTEL_EXPORTER_OTLP_… say. It does no I/O; what cannot be sent
// is dropped, and never keeps a run waiting: lost is told then, at most once a
// minute.
func OTLP(ctx context.Context, version string, lost func()) (*Recorder, error) {
	otel.SetErrorHandler(&losses{tell: lost}) // the SDK has one for the whole program
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the exporter of traces: %w", err)
	}
	metrics, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the exporter of metrics: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", serviceName), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("describing the program: %w", err)
	}
	return newRecorder(sdktrace.WithBatcher(filtered{spans}), sdkmetric.NewPeriodicReader(metrics), about)
}

// losses takes the SDK's errors, whose texts may quote requests.
type losses struct {
	tell func()
	mu   sync.Mutex
	told time.Time
}

func (l *losses) Handle(error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.told) > time.Minute {
		l.told = now
		l.tell()
	}
}

// newRecorder makes a recorder of the parts that tests change.
func newRecorder(spans sdktrace.TracerProviderOption, metrics sdkmetric.Reader, about *resource.Resource) (*Recorder, error) {
	tracers := sdktrace.NewTracerProvider(spans, sdktrace.WithIDGenerator(ids{}), sdktrace.WithResource(about), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics), sdkmetric.WithView(allowList()), sdkmetric.WithResource(about))
	made, err := newInstruments(meters.Meter(serviceName))
	if err != nil {
		return nil, fmt.Errorf("making the metrics: %w", err)
	}
	return &Recorder{
		tracer: tracers.Tracer(serviceName), instruments: made,
		close: func(ctx context.Context) error { return errors.Join(tracers.Shutdown(ctx), meters.Shutdown(ctx)) },
	}, nil
}
