package handlers

import (
	"context"
	"log/slog"

	"fhirdeid/internal/pipeline"
)

// queueBinding is the name of the queue bindings in function.json.
const queueBinding = "message"

// checkExport answers the heartbeat of a run.
func checkExport(ctx context.Context, in *Installation, e *envelope, _ *slog.Logger) error {
	m, err := decode(e, pipeline.DecodeTick)
	if err != nil {
		return err
	}
	return in.Pipeline.Check(ctx, m)
}

// fetchFile answers a message that asks for one output of the server.
func fetchFile(ctx context.Context, in *Installation, e *envelope, _ *slog.Logger) error {
	m, err := decode(e, pipeline.DecodeFetchOutput)
	if err != nil {
		return err
	}
	return in.Pipeline.Fetch(ctx, m, e.redelivered())
}

// anonymizeRetry answers a message that asks for a file whose blob event was
// lost.
func anonymizeRetry(ctx context.Context, in *Installation, e *envelope, _ *slog.Logger) error {
	m, err := decode(e, pipeline.DecodeRetryFile)
	if err != nil {
		return err
	}
	return in.Pipeline.Anonymize(ctx, m.File)
}

// decode reads a message. One that is none of ours fails the invocation each
// time, so that the host moves it to the poison queue and an alert is raised.
func decode[M any](e *envelope, read func([]byte) (M, error)) (M, error) {
	data, err := e.message(queueBinding)
	if err != nil {
		var none M
		return none, err
	}
	return read(data)
}
