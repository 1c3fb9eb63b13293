package funchost

import (
	"log/slog"
	"time"
)

// HostVersion is what the stand-in calls itself in X-Azure-Functions-HostVersion
// unless told otherwise. It is the version that was imitated, with a last part
// that no real host has.
const HostVersion = "4.1037.0.0"

// Options say what to run and how. Only AppRoot is needed.
type Options struct {
	// AppRoot is the folder of the staged app: host.json, a folder with a
	// function.json per function, and the handler.
	AppRoot string
	// Env is the environment of the host, which the handler inherits; nil means
	// that of this process.
	Env []string
	// Settings are laid over Env, as the Values of local.settings.json are.
	Settings map[string]string

	// Framing of request bodies. Chunked as in Azure, ContentLength as under
	// "func start".
	Framing Framing
	// HostID names the host in storage; "" derives one from AppRoot. The setting
	// AzureFunctionsWebHost__hostid wins.
	HostID string
	// Version is told to the handler; "" means HostVersion.
	Version string

	// AdminAddr is where the admin endpoint and the blob webhook listen; ""
	// means a free port on 127.0.0.1.
	AdminAddr string
	// MasterKey and SystemKey guard /admin and /runtime/webhooks as in Azure;
	// "" means that no key is asked for, as under "func start".
	MasterKey, SystemKey string

	// Listen names the functions whose triggers this host serves; nil means all.
	// Several hosts on one app and one HostID are several instances, as a
	// Flex Consumption plan has one group of instances per function.
	Listen []string

	// EmulateEventGrid scans the containers of blob functions with source
	// EventGrid and posts the events that Event Grid would send, for storage
	// emulators that have none. Without it only the webhook feeds them.
	EmulateEventGrid bool

	// LeaveHandler leaves the handler alive when the host ends while an
	// invocation is open, as the real host does. For tests of handlers that
	// must notice; by default the handler is killed.
	LeaveHandler bool
	// SurviveTimeouts restarts the handler when several invocations time out at
	// the same moment. The real host dies of that, and so does the stand-in
	// unless this is set.
	SurviveTimeouts bool
	// RestartLimit is the number of failed exits within Timing.ErrorWindow that
	// ends the host; 0 means 3, negative means never.
	RestartLimit int

	Timing Timing
	Faults Faults
	Clock  Clock // nil = the system's

	// Log receives what the real host would write to its console, handler output
	// included; nil discards it.
	Log *slog.Logger
	// OnEvent is called for everything worth showing, in order and never
	// concurrently; it must return quickly and must not call the host.
	OnEvent func(Event)
}

// Timing are the real host's fixed durations. Zero means the host's own value;
// tests shorten them.
type Timing struct {
	Ping           time.Duration // between two pings of a handler that is not up: 25 ms
	Restart        time.Duration // before the handler is started again: 500 ms
	RestartInit    time.Duration // the same after an initialization time-out: 4 s
	ErrorWindow    time.Duration // errors further apart are forgotten: 30 min
	Drain          time.Duration // wait for open invocations at the end: 10 s; negative: none
	Visibility     time.Duration // how long a dequeued message is hidden: 10 min
	MinimumPolling time.Duration // first pause of an empty queue: 100 ms
	BlobScan       time.Duration // between two scans of a container: 2 s
	TimeoutKill    time.Duration // from a time-out to the kill of the handler: 50 ms
}

func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Ping, 25 * time.Millisecond},
		{&t.Restart, 500 * time.Millisecond},
		{&t.RestartInit, 4 * time.Second},
		{&t.ErrorWindow, 30 * time.Minute},
		{&t.Drain, 10 * time.Second},
		{&t.Visibility, 10 * time.Minute},
		{&t.MinimumPolling, 100 * time.Millisecond},
		{&t.BlobScan, 2 * time.Second},
		{&t.TimeoutKill, 50 * time.Millisecond},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}
