package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/telemetry"
)

// App answers the functions of one app. Its pipeline is made on the first
// invocation, since the handler has to listen before it does anything slow.
type App struct {
	// Installation makes the pipeline. An error is answered to the host, and
	// the next invocation tries again.
	Installation func(ctx context.Context) (*Installation, error)
	// Limit is how long an invocation may take; it is below the host's
	// functionTimeout.
	Limit time.Duration
	Log   *slog.Logger
	// Telemetry takes metrics; nil takes none.
	Telemetry *telemetry.Recorder
}

// Installation is what the functions work on.
type Installation struct {
	Pipeline *pipeline.Pipeline
	// RawContainer is the URL of the container whose blobs are de-identified.
	RawContainer *url.URL
}

// Handler routes the host's calls. What is no function, such as the host's own
// look whether the handler is up, is answered with 404, which the host takes
// for "ready".
func (a *App) Handler() http.Handler {
	functions := map[string]function{
		"StartExport":    startExport,
		"CheckExport":    checkExport,
		"FetchFile":      fetchFile,
		"AnonymizeFile":  anonymizeFile,
		"AnonymizeRetry": anonymizeRetry,
	}
	// No ServeMux: it answers some paths with a redirect, which the host
	// follows with a GET and takes for success.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := trimSlash(r.URL.Path)
		f, ok := functions[name]
		if !ok || r.Method != http.MethodPost {
			answer(w, http.StatusNotFound)
			return
		}
		a.invoke(w, r, name, f)
	})
}

// function does the work of one invocation.
type function func(ctx context.Context, in *Installation, e *envelope, log *slog.Logger) error

// invoke runs one invocation and answers it, whatever happens.
func (a *App) invoke(w http.ResponseWriter, r *http.Request, name string, f function) {
	log := a.Log.With("function", name, "invocation", r.Header.Get("X-Azure-Functions-InvocationId"))
	// The host closes the connection only when it dies; its work goes on then
	// until the limit, since a step cut short has to be done again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.Limit)
	defer cancel()
	began, outcome := time.Now(), "ok"
	defer func() { a.Telemetry.Invocation(ctx, name, outcome, time.Since(began)) }()
	defer func() {
		if v := recover(); v != nil {
			// The panic's value may hold data; its place is in the stack, which
			// the runtime prints for the unrecovered kind only. Type is enough.
			outcome = "panicked"
			log.Error(pipeline.EventInvocationPanic, "panic", typeName(v), "stack", stack())
			answer(w, http.StatusInternalServerError)
		}
	}()
	e, err := readEnvelope(r.Body)
	if err == nil {
		var in *Installation
		if in, err = a.Installation(ctx); err == nil {
			err = f(ctx, in, e, log)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		outcome = "stopped"
		log.Error(pipeline.EventInvocationStopped, "limit", a.Limit, "error", err.Error())
		answer(w, http.StatusInternalServerError)
		return
	}
	if err != nil {
		outcome = "failed"
		log.Error(pipeline.EventInvocationFailed, "error", err.Error())
		answer(w, http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK)
}

// answer writes an empty JSON object: the only body that the host always takes.
func answer(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct{}{}) // the host is gone when this fails
}
