package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// calm is a world in which nothing goes wrong, with the outputs given.
func calm(t *testing.T, outputs ...simOutput) *world {
	t.Helper()
	w := newWorld(0, newSimEngines())
	w.faults = faults{}
	w.rng = rand.New(rand.NewPCG(1, 2))
	w.server = &simServer{w: w, jobs: make(map[string]*simJob), duration: time.Minute, forged: -1, outputs: outputs}
	w.expect = expectation{good: make(map[string]bool), want: make(map[string]string), mayRelease: true}
	w.plan.Settings.MaxQuarantinedLines = 0
	w.plan.Settings.FetchParallel = 2
	return w
}

const (
	patientLine     = `{"resourceType":"Patient","id":"p1","name":[{"family":"Blumenthal"}],"gender":"female"}` + "\n"
	observationLine = `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p1"}}` + "\n"
)

func patients(n int) simOutput {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"resourceType":"Patient","id":"p%d","name":[{"family":"Blumenthal"}]}`+"\n", i)
	}
	return simOutput{typ: "Patient", data: b.Bytes(), count: int64(n)}
}

// night lets one night go by and returns its run.
func (w *world) oneNight(t *testing.T) *ledger.Run {
	t.Helper()
	w.prepareExpectation()
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	w.night(at, 0)
	w.run(at.AddDate(0, 0, 2), func() bool {
		runs := w.runs()
		return len(runs) > 0 && runs[len(runs)-1].State.Over()
	})
	for _, b := range w.broken {
		t.Error(b)
	}
	runs := w.runs()
	if len(runs) == 0 {
		t.Fatal("there is no run")
	}
	return runs[len(runs)-1]
}

func wantState(t *testing.T, r *ledger.Run, state ledger.State, code string) {
	t.Helper()
	if r.State != state || code != "" && (len(r.Reasons) == 0 || r.Reasons[0].Code != code) {
		t.Fatalf("the run is %s (%v), want %s with %q", r.State, r.Reasons, state, code)
	}
	for _, why := range r.Reasons {
		if len(why.Text) < 20 || strings.Contains(why.Text, "Blumenthal") {
			t.Errorf("the reason does not explain, or quotes data: %q", why.Text)
		}
	}
}

// tester is a pipeline on the world's storage whose calls are not scheduled.
func (w *world) direct() *Pipeline {
	p := w.pipeline(&task{w: w})
	c := w.mem.Container
	p.Stores = Stores{c("raw"), c("quarantine"), c("ledger"), c("policy"), c("staging"), c("research"), c("catalog")}
	p.Queues = Queues{w.mem.Queue("check-export"), w.mem.Queue("fetch-file"), w.mem.Queue("anonymize-retry")}
	p.Exporter = &directExporter{w.server}
	return p
}

// directExporter is the server without the scheduler.
type directExporter struct{ s *simServer }

func (x *directExporter) through(do func(e *simExporter)) {
	t := &task{w: x.s.w, resume: make(chan struct{}), parked: make(chan bool)}
	done := make(chan struct{})
	go func() { do(&simExporter{t, x.s}); close(done) }()
	for {
		select {
		case <-t.parked:
			t.resume <- struct{}{}
		case <-done:
			return
		}
	}
}

func (x *directExporter) KickOff(ctx context.Context, r bulkdata.Request) (a bulkdata.Accepted, err error) {
	x.through(func(e *simExporter) { a, err = e.KickOff(ctx, r) })
	return
}

func (x *directExporter) Status(ctx context.Context, url string) (s bulkdata.Status, err error) {
	x.through(func(e *simExporter) { s, err = e.Status(ctx, url) })
	return
}

func (x *directExporter) Open(ctx context.Context, f bulkdata.File) (r io.ReadCloser, err error) {
	x.through(func(e *simExporter) { r, err = e.Open(ctx, f) })
	return
}

func (x *directExporter) Cancel(ctx context.Context, url string) (err error) {
	x.through(func(e *simExporter) { err = e.Cancel(ctx, url) })
	return
}

// fetchingRun makes a run that is in the fetching stage.
func fetchingRun(t *testing.T, w *world, p *Pipeline) *ledger.Run {
	t.Helper()
	ctx := t.Context()
	id, outcome, err := p.Start(ctx, w.now)
	if err != nil || outcome != Started {
		t.Fatal(outcome, err)
	}
	for range 20 {
		r, _, err := p.ledger().Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if r.State == ledger.Fetching {
			return r
		}
		if err := p.Check(ctx, Tick{Run: id, Tick: r.Tick}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
	}
	t.Fatal("the run never came to fetching")
	return nil
}

// Invariant 1.
func TestTwiceIsOnce(t *testing.T) {
	w := calm(t, patients(30), simOutput{typ: "Observation", data: []byte(observationLine), count: 1})
	p := w.direct()
	ctx := t.Context()
	r := fetchingRun(t, w, p)
	if err := p.Fetch(ctx, FetchOutput{Run: r.ID}, false); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, w, "raw", "staging", "ledger")
	for _, redelivered := range []bool{false, true} {
		if err := p.Fetch(ctx, FetchOutput{Run: r.ID}, redelivered); err != nil {
			t.Fatal(err)
		}
	}
	if after := snapshot(t, w, "raw", "staging", "ledger"); after != before {
		t.Error("a fetch done again has changed something")
	}
	var names []string
	for info := range p.Stores.Raw.List(ctx, r.ID+"/Patient") {
		names = append(names, info.Name)
	}
	if len(names) < 2 {
		t.Fatalf("the output was not cut: %v", names)
	}
	for _, name := range names {
		if err := p.Anonymize(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	before = snapshot(t, w, "staging")
	for _, name := range names {
		if err := p.Anonymize(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if snapshot(t, w, "staging") != before {
		t.Error("a file done again has another result")
	}
}

// snapshot is everything in the containers, with ETags.
func snapshot(t *testing.T, w *world, containers ...string) string {
	t.Helper()
	var b strings.Builder
	for _, c := range containers {
		for info, err := range w.mem.Container(c).List(context.Background(), "") {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, c, info.Name, info.ETag, info.Metadata)
		}
	}
	return b.String()
}

// Invariant 2.
func TestHeartbeatNeverStopsAndNeverMultiplies(t *testing.T) {
	w := calm(t, patients(1))
	w.server.duration = 1000 * time.Hour
	p := w.direct()
	ctx := t.Context()
	id, _, err := p.Start(ctx, w.now)
	if err != nil {
		t.Fatal(err)
	}
	q := w.mem.Queue("check-export")
	for i := range 50 {
		w.now = w.now.Add(6 * time.Minute)
		seen := 0
		for {
			m, ok := q.Receive(time.Hour)
			if !ok {
				break
			}
			seen++
			tick, err := DecodeTick(m.Body)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // each is delivered twice
				if err := p.Check(ctx, tick); err != nil {
					t.Fatal(err)
				}
			}
			q.Delete(m)
		}
		if len(q.Messages()) == 0 {
			t.Fatal("the heartbeat has stopped")
		}
		if i > 3 && len(q.Messages()) != 1 {
			t.Fatalf("there are %d heartbeats after %d rounds", len(q.Messages()), i)
		}
		for _, m := range q.Messages() {
			if m.Visible.Sub(w.now) > maxPause {
				t.Fatalf("the heartbeat pauses for %s", m.Visible.Sub(w.now))
			}
		}
	}
	if r, _, _ := p.ledger().Run(ctx, id); r.State.Over() || w.server.kicks != 1 {
		t.Errorf("the run is %s after %d kick-offs", r.State, w.server.kicks)
	}
}

// Invariant 2: an outage of the storage that outlasts every redelivery of the
// host does not stop the heartbeat until the next night.
func TestHeartbeatOutlivesAnOutage(t *testing.T) {
	w := calm(t, patients(3))
	w.server.duration = 30 * time.Minute
	w.outage = outage{time.Date(2026, 11, 22, 1, 10, 0, 0, time.UTC), time.Date(2026, 11, 22, 2, 10, 0, 0, time.UTC)}
	r := w.oneNight(t)
	wantState(t, r, ledger.Released, "")
	if w.poisoned > 0 {
		t.Errorf("%d messages were poisoned", w.poisoned)
	}
	if took := r.EndedAt.Sub(w.outage.until); took > 10*time.Minute {
		t.Errorf("the run ended %s after the outage", took)
	}
}

// Invariant 2: a step that fails again and again is noted, is tried at growing
// pauses, and does not multiply the heartbeat.
func TestFailingStepIsNoted(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	ctx := t.Context()
	r := fetchingRun(t, w, p)
	q := w.mem.Queue("check-export")
	for _, m := range q.Messages() {
		q.Delete(m)
	}
	p.Stores.Staging = unlisted{p.Stores.Staging}
	for n := range 8 {
		m := Tick{Run: r.ID, Tick: r.Tick}
		for range 2 { // each is delivered twice
			if err := p.Check(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		beats := q.Messages()
		if len(beats) != 1 {
			t.Fatalf("there are %d heartbeats after %d failures", len(beats), n+1)
		}
		w.now = beats[0].Visible
		q.Delete(beats[0])
		r = p.mustRun(t, r.ID)
	}
	if took := w.now.Sub(r.Notes[0].At); took != maxPause {
		t.Errorf("the last pause is %s", took)
	}
	if len(r.Notes) != 1 || r.Notes[0].Code != "step-failed" || r.Notes[0].Times != 8 || !strings.Contains(r.Notes[0].Text, "staging") {
		t.Errorf("the notes are %+v", r.Notes)
	}
}

// mustRun reads a run.
func (p *Pipeline) mustRun(t *testing.T, id string) *ledger.Run {
	t.Helper()
	r, _, err := p.ledger().Run(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unlisted is a container that cannot be listed.
type unlisted struct{ storage.Container }

func (unlisted) List(context.Context, string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		yield(storage.Info{}, errors.New("listing the container staging: the storage answered 503 ServerBusy"))
	}
}

// Invariant 3.
func TestOneAtATime(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	ctx := t.Context()
	first, _, err := p.Start(ctx, w.now)
	if err != nil {
		t.Fatal(err)
	}
	again, outcome, err := p.Start(ctx, w.now)
	if err != nil || again != first || outcome != Resumed {
		t.Errorf("the same instant again gives %s %s %v", again, outcome, err)
	}
	r, _, err := p.ledger().Run(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(ctx, Tick{Run: first, Tick: r.Tick}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(30 * time.Minute)
	active, outcome, err := p.Start(ctx, w.now)
	if err != nil || active != first || outcome != Skipped {
		t.Errorf("another run beside it: %s %s %v", active, outcome, err)
	}
	w.now = w.now.Add(2 * time.Hour)
	if _, outcome, err = p.Start(ctx, w.now); err != nil || outcome != Resumed {
		t.Errorf("a run whose heartbeat is lost is not revived: %s %v", outcome, err)
	}
	w.now = w.now.Add(40 * time.Hour)
	next, outcome, err := p.Start(ctx, w.now)
	if err != nil || next == first || outcome != Started {
		t.Errorf("a run past its deadline is not replaced: %s %s %v", next, outcome, err)
	}
	if r, _, _ = p.ledger().Run(ctx, first); r.State != ledger.Failed || r.Reasons[0].Code != "deadline" {
		t.Errorf("the replaced run is %s", r.State)
	}
}

// Invariant 4: two writers of the same result; the loser settles by what is
// there.
func TestWholeOrNotThere(t *testing.T) {
	w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine), count: 1})
	p := w.direct()
	ctx := t.Context()
	r := fetchingRun(t, w, p)
	if err := p.Fetch(ctx, FetchOutput{Run: r.ID}, false); err != nil {
		t.Fatal(err)
	}
	var name string
	for info := range p.Stores.Raw.List(ctx, r.ID+"/Patient") {
		name = info.Name
	}
	slow := *p
	slow.Stores.Staging = &overtaken{Container: p.Stores.Staging, first: func() {
		if _, err := p.Stores.Staging.Head(ctx, name); !errors.Is(err, storage.ErrNotFound) {
			t.Error("something is there before the commit")
		}
		if err := p.Anonymize(ctx, name); err != nil {
			t.Error(err)
		}
	}}
	if err := slow.Anonymize(ctx, name); err != nil {
		t.Errorf("the slower writer of the same result: %v", err)
	}
}

// overtaken lets somebody else go first before each commit.
type overtaken struct {
	storage.Container
	first func()
}

func (o *overtaken) Create(ctx context.Context, name string) (storage.Writer, error) {
	w, err := o.Container.Create(ctx, name)
	return &overtakenWriter{w, o.first}, err
}

type overtakenWriter struct {
	storage.Writer
	first func()
}

func (o *overtakenWriter) Commit(ctx context.Context, opts storage.PutOptions) (storage.ETag, error) {
	o.first()
	return o.Writer.Commit(ctx, opts)
}

// Invariant 5 is checked at every write of the simulation; here, that a leak
// holds the run, and that the leaking line is nowhere but in the raw account.
func TestNothingUnverifiedInResearch(t *testing.T) {
	w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine + `{"resourceType":"Patient","id":"p2","gender":"male"}` + "\n"), count: 2})
	putPolicy(t, w, `{"extends":"safe-harbor","fhirPathRules":[]}`)
	// An engine that keeps names, as only a broken one would.
	w.engine.spoil = func(made *engine) {
		p, err := policy.Parse([]byte(`{"fhirVersion":"R4","mode":"strict","fhirPathRules":[
			{"path":"Resource.id","method":"pseudonym"},{"path":"Patient.name","method":"keep"},{"path":"Patient.gender","method":"keep"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if made.Engine, err = anonymize.Compile(p, anonymize.Options{AsOf: w.now, Keys: anonymize.Keys{Pseudonym: []byte("a key of good length for tests")}}); err != nil {
			t.Fatal(err)
		}
	}
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Held, "findings")
	if !r.Reasons[0].Hard {
		t.Error("a person may overrule a finding")
	}
	for _, c := range []string{"staging", "research", "catalog"} {
		for name, data := range contents(t, w, c) {
			if bytes.Contains(data, []byte("Blumenthal")) {
				t.Errorf("%s/%s has the name", c, name)
			}
		}
	}
	if q := contents(t, w, "quarantine"); len(q) != 2 {
		t.Errorf("the quarantine has %d blobs, want the line and its reason", len(q))
	}
	err := w.direct().Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRelease, Reason: "I know better"})
	var refused *OrderError
	if !errors.As(err, &refused) {
		t.Errorf("the order to release it gives %v", err)
	}
}

func putPolicy(t *testing.T, w *world, text string) {
	t.Helper()
	if _, err := w.mem.Container("policy").Put(t.Context(), "simulation.json", []byte(text), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// oneNightOf is oneNight without an expectation of bytes.
func (w *world) oneNightOf(t *testing.T) *ledger.Run {
	t.Helper()
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	w.night(at, 0)
	w.run(at.AddDate(0, 0, 2), func() bool {
		runs := w.runs()
		return len(runs) > 0 && runs[len(runs)-1].State.Over()
	})
	runs := w.runs()
	if len(runs) == 0 {
		t.Fatal("there is no run")
	}
	return runs[len(runs)-1]
}

func contents(t *testing.T, w *world, container string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	c := w.mem.Container(container)
	for info, err := range c.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := c.Get(context.Background(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		all[info.Name] = data
	}
	return all
}

// Invariant 6.
func TestEveryLineIsAccountedFor(t *testing.T) {
	bad := append([]byte(patientLine), "{\"resourceType\":\"Patient\",\"Jane Blumenthal\":1}\n\n"...)
	w := calm(t, simOutput{typ: "Patient", data: append(bad, patientLine...), count: 3}, simOutput{typ: "Observation", data: []byte(observationLine), count: 1})
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Held, "quarantine")
	c := r.Totals.Counts
	if c.Lines != 4 || c.Written != 3 || c.Quarantined != 1 || !c.Balanced() || c.Duplicates != 1 || r.Totals.Quarantine["unknown-element"] != 1 {
		t.Errorf("counts are %+v %v", c, r.Totals.Quarantine)
	}

	t.Run("allowed by the settings", func(t *testing.T) {
		w := calm(t, simOutput{typ: "Patient", data: bad, count: 2})
		w.plan.Settings.MaxQuarantinedLines = 1
		r := w.oneNightOf(t)
		wantState(t, r, ledger.Released, "")
	})
	t.Run("too few lines", func(t *testing.T) {
		w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine), count: 2})
		wantState(t, w.oneNightOf(t), ledger.Held, "count-mismatch")
	})
	t.Run("released by a person", func(t *testing.T) {
		w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine), count: 2})
		r := w.oneNightOf(t)
		if err := w.direct().Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRelease, By: "officer", Reason: "the server counts a deleted one"}); err != nil {
			t.Fatal(err)
		}
		w.deliverQueues()
		w.run(w.now.AddDate(0, 0, 1), func() bool { return w.runs()[0].State.Over() })
		r = w.runs()[0]
		wantState(t, r, ledger.Released, "")
		if len(r.Orders) != 1 || r.Orders[0].By != "officer" {
			t.Errorf("the order is not recorded: %v", r.Orders)
		}
	})
	t.Run("an old job stays one", func(t *testing.T) {
		w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine + "no json\n"), count: 2})
		w.server.old = true
		id := w.oneNightOf(t).ID
		for _, c := range []struct {
			order ledger.OrderKind
			state ledger.State
			code  string
		}{
			{ledger.OrderRetry, ledger.Held, "old-job"}, // a retry is no release
			{ledger.OrderRelease, ledger.Released, ""},  // of all that the report then says
		} {
			if err := w.direct().Order(t.Context(), id, ledger.Order{Kind: c.order, Reason: "seen"}); err != nil {
				t.Fatal(err)
			}
			w.deliverQueues()
			w.run(w.now.AddDate(0, 0, 1), func() bool { return w.runs()[0].State.Over() })
			wantState(t, w.runs()[0], c.state, c.code)
		}
	})
	t.Run("released before it was seen", func(t *testing.T) {
		w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine + "no json\n"), count: 2})
		w.server.old = true
		r := w.oneNightOf(t)
		wantState(t, r, ledger.Held, "old-job")
		if err := w.direct().Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRelease, Reason: "an old job is fine"}); err != nil {
			t.Fatal(err)
		}
		w.deliverQueues()
		w.run(w.now.AddDate(0, 0, 1), func() bool { return w.runs()[0].State.Over() })
		wantState(t, w.runs()[0], ledger.Held, "quarantine")
	})
	t.Run("the server's own errors", func(t *testing.T) {
		w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine), count: 1})
		w.server.errors = []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"x","diagnostics":"Blumenthal"}]}`)
		wantState(t, w.oneNightOf(t), ledger.Held, "server-errors")
	})
}

// deliverQueues hands messages that were sent outside the scheduler to it.
func (w *world) deliverQueues() {
	for _, name := range []string{"check-export", "fetch-file", "anonymize-retry"} {
		q := w.mem.Queue(name)
		for _, m := range q.Messages() {
			w.deliver(name, m.Body, m.Visible, 1)
			q.Delete(m)
		}
	}
}

// Invariant 7.
func TestNoPHIOutsideTheRawAccount(t *testing.T) {
	line := `{"resourceType":"Patient","id":"mrn-4711","name":[{"family":"Blumenthal"}],"birthDate":"1980-02-03","telecom":[{"value":"555-0199"}],"Clementine":1}` + "\n"
	w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine + line), count: 2})
	w.server.errors = []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"Blumenthal","diagnostics":"Blumenthal"}]}`)
	var log bytes.Buffer
	w.log = slog.New(slog.NewJSONHandler(&log, nil))
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Held, "")
	secrets := []string{"Blumenthal", "Clementine", "mrn-4711", "1980-02", "555-0199", "a simulated key"}
	everywhere := map[string]string{"the log": log.String(), "the history of messages": strings.Join(w.history, "\n")}
	for _, c := range []string{"ledger", "staging", "research", "catalog"} {
		for name, data := range contents(t, w, c) {
			everywhere[c+"/"+name] = string(data)
		}
		for info := range w.mem.Container(c).List(context.Background(), "") {
			everywhere["the metadata of "+c+"/"+info.Name] = fmt.Sprint(info.Name, info.Metadata)
		}
	}
	for where, text := range everywhere {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q", where, secret)
			}
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// Invariant 9: a file is cut, and each invocation is one piece of work.
func TestMinutesNotHours(t *testing.T) {
	w := calm(t, patients(200))
	w.plan.Settings.FileBytes = 1000
	r := w.oneNight(t)
	wantState(t, r, ledger.Released, "")
	if r.Totals.Files < 10 {
		t.Errorf("an output of 16 kB was cut into %d files of at most 1 kB", r.Totals.Files)
	}
}

// Invariant 10.
func TestSameInSameOut(t *testing.T) {
	released := func(start time.Duration) map[string][]byte {
		w := calm(t, patients(40), simOutput{typ: "Observation", data: []byte(observationLine), count: 1})
		w.rng = rand.New(rand.NewPCG(uint64(start), 3)) // other attempts, another order
		wantState(t, w.oneNight(t), ledger.Released, "")
		all := contents(t, w, "research")
		for name := range all {
			if strings.HasSuffix(name, "manifest.json") {
				delete(all, name)
			}
		}
		return all
	}
	a, b := released(1), released(2)
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for name, data := range a {
		if !bytes.Equal(data, b[name]) {
			t.Errorf("%s is another the second time", name)
		}
	}
}

// Invariant 11.
func TestFailClosed(t *testing.T) {
	hash := `{"fhirVersion":"R4","fhirPathRules":[{"path":"Resource.id","method":"cryptoHash"}]}`
	for name, c := range map[string]struct {
		policy string
		keys   keys.Source
		code   string
		says   string
	}{
		"a policy that does not parse":  {"{\n\"fhirPathRules\": [{\"path\": \"Patient\"}]}", nil, codePolicyBad, "line 2, rule 1"},
		"an unknown method":             {`{"fhirPathRules":[{"path":"Patient","method":"redakt"}]}`, nil, codePolicyBad, "redakt"},
		"a path that is not understood": {`{"fhirPathRules":[{"path":"Patient.name.where(use='x'","method":"redact"}]}`, nil, codePolicyBad, "rule 1"},
		"a claim on a plain file":       {`{"claim":"safe-harbor","fhirPathRules":[]}`, nil, codePolicyBad, "strict"},
		"no key":                        {hash, noKeys{}, codeKeyBad, "fhirdeid keys new"},
		"a blank key":                   {hash, oneKey("  "), codeKeyBad, "blank"},
		"a short key":                   {hash, oneKey("short"), codeKeyBad, "fhirdeid keys new"},
		"an unknown member in a strict": {`{"mode":"strict","fhirPathRules":[],"whatever":1}`, nil, codePolicyBad, "whatever"},
	} {
		t.Run(name, func(t *testing.T) {
			w := calm(t, patients(1))
			putPolicy(t, w, c.policy)
			p := w.direct()
			if c.keys != nil {
				p.Keys = c.keys
			}
			id, outcome, err := p.Start(t.Context(), w.now)
			if err != nil || outcome != Refused {
				t.Fatal(outcome, err)
			}
			r, _, err := p.ledger().Run(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, r, ledger.Failed, c.code)
			if !strings.Contains(r.Reasons[0].Text, c.says) {
				t.Errorf("it says %q, not %q", r.Reasons[0].Text, c.says)
			}
			if w.server.kicks > 0 {
				t.Error("the server was asked all the same")
			}
		})
	}
	t.Run("a missing policy", func(t *testing.T) {
		w := calm(t, patients(1))
		w.plan.Policy = "absent.json"
		if _, outcome, err := w.direct().Start(t.Context(), w.now); err != nil || outcome != Refused {
			t.Error(outcome, err)
		}
	})
}

type noKeys struct{}

func (noKeys) Get(_ context.Context, name, _ string) (keys.Secret, error) {
	return keys.Environment(func(string) (string, bool) { return "", false }).Get(context.Background(), name, "")
}

type oneKey string

func (k oneKey) Get(_ context.Context, name, _ string) (keys.Secret, error) {
	return keys.Secret{Name: name, Version: "1", Value: []byte(k)}, nil
}

// Invariant 12.
func TestPermanentIsPermanent(t *testing.T) {
	t.Run("the policy is changed during the run", func(t *testing.T) {
		w := calm(t, patients(3))
		w.server.duration = time.Hour
		w.at(time.Date(2026, 11, 22, 1, 20, 0, 0, time.UTC), "edit", func() {
			putPolicy(t, w, `{"fhirPathRules":[]}`)
			w.engine.made = nil // another instance
		})
		r := w.oneNightOf(t)
		wantState(t, r, ledger.Failed, codePolicyChanged)
		if w.poisoned > 0 {
			t.Error("a lasting fault was tried again until it was poisoned")
		}
		putPolicy(t, w, simPolicy)
		if err := w.direct().Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRetry}); err != nil {
			t.Fatal(err)
		}
		w.deliverQueues()
		w.run(w.now.AddDate(0, 0, 1), func() bool { return w.runs()[0].State.Over() })
		wantState(t, w.runs()[0], ledger.Released, "")
	})
	t.Run("a forged manifest", func(t *testing.T) {
		w := calm(t, patients(3))
		w.server.forged = 0
		wantState(t, w.oneNightOf(t), ledger.Failed, "url-refused")
	})
	t.Run("a server that refuses", func(t *testing.T) {
		w := calm(t, patients(3))
		w.server.refuse = &bulkdata.Error{Op: "asking for the export", Kind: bulkdata.Denied, Status: 403, Hint: `the identity needs the role "FHIR Data Exporter" on the FHIR service`}
		r := w.oneNightOf(t)
		wantState(t, r, ledger.Failed, "kickoff-refused")
		if !strings.Contains(r.Reasons[0].Text, "FHIR Data Exporter") {
			t.Errorf("the role is not named: %s", r.Reasons[0].Text)
		}
	})
}

// TestReleaseIsDescribed looks at what a researcher finds.
func TestReleaseIsDescribed(t *testing.T) {
	w := calm(t, patients(2))
	r := w.oneNight(t)
	wantState(t, r, ledger.Released, "")
	research := contents(t, w, "research")
	var m ReleaseManifest
	if err := json.Unmarshal(research[r.ID+"/manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Output) != 1 || m.Output[0].URL != "Patient.ndjson" || m.Output[0].Count != 2 || m.Request != "$export" || m.Extension.Verified {
		t.Errorf("the manifest is %+v", m)
	}
	var latest Latest
	if err := json.Unmarshal(contents(t, w, "catalog")["latest.json"], &latest); err != nil || latest.Run != r.ID {
		t.Errorf("latest.json is %+v, %v", latest, err)
	}
	for _, c := range []string{"raw", "staging"} {
		if left := contents(t, w, c); len(left) > 0 {
			t.Errorf("%d blobs are left in %s", len(left), c)
		}
	}
}
