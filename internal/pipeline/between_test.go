package pipeline

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// These tests put something between two lines of a step: a foreign write, an
// order, a loss. Each fails when the line that guards against it is taken out.

// between is a container in which something happens before a copy or an opening.
type between struct {
	storage.Container
	copy, open func()
}

func (b *between) Copy(ctx context.Context, src storage.Container, srcName string, match storage.ETag, name string, o storage.PutOptions) (storage.ETag, error) {
	once(&b.copy)
	return b.Container.Copy(ctx, src, srcName, match, name, o)
}

func once(do *func()) {
	if f := *do; f != nil {
		*do = nil
		f()
	}
}

// openingRaw is a container in which something happens before a blob is opened.
type openingRaw struct{ *between }

func (b openingRaw) Head(ctx context.Context, name string) (storage.Info, error) {
	info, err := b.Container.Head(ctx, name)
	once(&b.open)
	return info, err
}

// fetchedFile makes a run with one raw file, and returns both.
func fetchedFile(t *testing.T, w *world, p *Pipeline) (*ledger.Run, string) {
	t.Helper()
	r := fetchingRun(t, w, p)
	if err := p.Fetch(t.Context(), FetchOutput{Run: r.ID}, false); err != nil {
		t.Fatal(err)
	}
	for info := range p.Stores.Raw.List(t.Context(), r.ID+"/Patient") {
		return r, info.Name
	}
	t.Fatal("nothing was fetched")
	return nil, ""
}

func put(t *testing.T, c storage.Container, name, text string, meta map[string]string) {
	t.Helper()
	if _, err := c.Put(t.Context(), name, []byte(text), storage.PutOptions{Metadata: meta}); err != nil {
		t.Fatal(err)
	}
}

// check beats the heart once and returns the run.
func check(t *testing.T, p *Pipeline, id string) *ledger.Run {
	t.Helper()
	if err := p.Check(t.Context(), Tick{Run: id, Tick: p.mustRun(t, id).Tick}); err != nil {
		t.Fatal(err)
	}
	return p.mustRun(t, id)
}

// TestResultIsTiedToItsSource: raw files are written once. Should one be
// overwritten all the same, no result of other bytes is taken for its own.
func TestResultIsTiedToItsSource(t *testing.T) {
	const other = `{"resourceType":"Patient","id":"another"}` + "\n"
	t.Run("overwritten while it is looked at", func(t *testing.T) {
		w := calm(t, patients(1))
		p := w.direct()
		_, name := fetchedFile(t, w, p)
		p.Stores.Raw = openingRaw{&between{Container: p.Stores.Raw, open: func() { put(t, w.mem.Container("raw"), name, other, nil) }}}
		if err := p.Anonymize(t.Context(), name); err == nil {
			t.Error("a file was de-identified that is not the one looked at")
		}
		if got := contents(t, w, "staging"); len(got) > 0 {
			t.Errorf("staging has %d results", len(got))
		}
	})
	t.Run("overwritten before its event", func(t *testing.T) {
		w := calm(t, patients(1))
		p := w.direct()
		r, name := fetchedFile(t, w, p)
		put(t, w.mem.Container("raw"), name, other, nil)
		if err := p.Anonymize(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if r = check(t, p, r.ID); r.State != ledger.Fetching {
			t.Errorf("the run is %s with a result of other bytes than were fetched", r.State)
		}
	})
	t.Run("overwritten after its result", func(t *testing.T) {
		w := calm(t, patients(1))
		p := w.direct()
		_, name := fetchedFile(t, w, p)
		if err := p.Anonymize(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		put(t, w.mem.Container("raw"), name, other, nil)
		if err := p.Anonymize(t.Context(), name); err == nil || !strings.Contains(err.Error(), "runs retry") {
			t.Errorf("a result of other bytes is taken for the file's: %v", err)
		}
	})
}

// TestRetryClearsTheWay: what a result in the way says of the remedy is true.
func TestRetryClearsTheWay(t *testing.T) {
	for name, spoil := range map[string]func(map[string]string){
		"of other bytes":       func(meta map[string]string) { meta["sourceetag"] = `"0xother"` },
		"of another policy":    func(meta map[string]string) { meta["policyhash"] = "another" },
		"that cannot be read":  func(meta map[string]string) { meta["lines"] = "many" },
		"that names no source": func(meta map[string]string) { delete(meta, "sourceetag") },
	} {
		t.Run(name, func(t *testing.T) {
			w := calm(t, patients(1))
			p := w.direct()
			r, file := fetchedFile(t, w, p)
			if err := p.Anonymize(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			info, err := p.Stores.Staging.Head(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			spoil(info.Metadata)
			put(t, p.Stores.Staging, file, "{}\n", info.Metadata)
			if err := p.Anonymize(t.Context(), file); err == nil {
				t.Fatal("the spoiled result is taken for the file's")
			}
			w.now = w.now.Add(r.Settings.StallDeadline + time.Hour)
			if r = check(t, p, r.ID); r.State == ledger.Fetching {
				w.now = w.now.Add(r.Settings.StallDeadline + time.Hour)
				r = check(t, p, r.ID)
			}
			wantState(t, r, ledger.Failed, "stalled")
			if err := p.Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRetry}); err != nil {
				t.Fatal(err)
			}
			if err := p.Anonymize(t.Context(), file); err != nil {
				t.Errorf("after a retry: %v", err)
			}
			check(t, p, r.ID)
			check(t, p, r.ID)
			wantState(t, check(t, p, r.ID), ledger.Released, "")
		})
	}
}

// TestFirstResultStands: a second writer of a result changes nothing.
func TestFirstResultStands(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	_, name := fetchedFile(t, w, p)
	var first string
	slow := *p
	slow.Stores.Staging = &overtaken{Container: p.Stores.Staging, first: func() {
		if err := p.Anonymize(t.Context(), name); err != nil {
			t.Error(err)
		}
		first = snapshot(t, w, "staging")
	}}
	if err := slow.Anonymize(t.Context(), name); err != nil {
		t.Error(err)
	}
	if first == "" || snapshot(t, w, "staging") != first {
		t.Error("the second writer has overwritten the first")
	}
}

// releasingRun makes a run that is about to copy.
func releasingRun(t *testing.T, w *world, p *Pipeline) (*ledger.Run, string) {
	t.Helper()
	r, name := fetchedFile(t, w, p)
	if err := p.Anonymize(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if r = check(t, p, r.ID); r.State != ledger.Releasing {
		t.Fatalf("the run is %s (%v)", r.State, r.Reasons)
	}
	return r, name
}

// TestCopiedIsWhatWasVerified: a result that is overwritten before it is copied
// does not get to research.
func TestCopiedIsWhatWasVerified(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	r, name := releasingRun(t, w, p)
	info, err := p.Stores.Staging.Head(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	p.Stores.Research = &between{Container: p.Stores.Research, copy: func() {
		put(t, w.mem.Container("staging"), name, patientLine, info.Metadata)
	}}
	r = check(t, p, r.ID)
	for name, data := range contents(t, w, "research") {
		if strings.Contains(string(data), "Blumenthal") {
			t.Errorf("%s was copied unverified", name)
		}
	}
	if r.Release.Published {
		t.Error("the run was published")
	}
}

// refusing is a container that refuses a write and keeps nothing, as one does
// that is being deleted: Azure answers 409 then too.
type refusing struct {
	storage.Container
	name string
}

func (r refusing) Put(ctx context.Context, name string, data []byte, o storage.PutOptions) (storage.ETag, error) {
	if strings.HasSuffix(name, r.name) {
		return "", storage.ErrCondition
	}
	return r.Container.Put(ctx, name, data, o)
}

// TestRefusedIsNotPublished: a refusal of the manifest is not taken for one that
// is there.
func TestRefusedIsNotPublished(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	r, _ := releasingRun(t, w, p)
	plain := p.Stores.Research
	p.Stores.Research = refusing{plain, "manifest.json"}
	if r = check(t, p, r.ID); r.Release.Published {
		t.Fatal("a release without a manifest is taken for published")
	}
	p.Stores.Research = plain
	check(t, p, r.ID)
	wantState(t, check(t, p, r.ID), ledger.Released, "")
}

// TestCancelBeforePublishing: an order that comes while files are copied keeps
// the release from being published; one that is found after publishing began
// does not cut it short.
func TestCancelBeforePublishing(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	r, _ := releasingRun(t, w, p)
	p.Stores.Research = &between{Container: p.Stores.Research, copy: func() {
		if err := p.Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderCancel}); err != nil {
			t.Error(err)
		}
	}}
	check(t, p, r.ID)
	if _, there := contents(t, w, "research")[r.ID+"/manifest.json"]; there || len(contents(t, w, "catalog")) > 0 {
		t.Error("the release was announced although the run was cancelled")
	}
	if r = check(t, p, r.ID); r.State != ledger.Cancelled {
		t.Errorf("the run is %s", r.State)
	}
	if left := contents(t, w, "research"); len(left) > 0 {
		t.Errorf("research has %d blobs of a cancelled run", len(left))
	}

	t.Run("too late", func(t *testing.T) {
		w := calm(t, patients(1))
		p := w.direct()
		r, _ := releasingRun(t, w, p)
		if _, err := p.ledger().UpdateRun(t.Context(), r.ID, func(r *ledger.Run) (bool, error) {
			r.Release.Publishing = true
			r.Orders = append(r.Orders, ledger.Order{Kind: ledger.OrderCancel})
			return true, nil
		}); err != nil {
			t.Fatal(err)
		}
		check(t, p, r.ID)
		if r = check(t, p, r.ID); r.State != ledger.Released {
			t.Errorf("a run whose publishing has begun is %s", r.State)
		}
	})
}

// overtakenKickOff lets somebody write the run while the server is being asked.
type overtakenKickOff struct {
	Exporter
	during func()
}

func (e *overtakenKickOff) KickOff(ctx context.Context, r bulkdata.Request) (bulkdata.Accepted, error) {
	a, err := e.Exporter.KickOff(ctx, r)
	once(&e.during)
	return a, err
}

// TestAcceptedJobIsNotLost: the status URL is saved although the run was written
// by somebody else meanwhile, and no second job is asked for.
func TestAcceptedJobIsNotLost(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	id, _, err := p.Start(t.Context(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	p.Exporter = &overtakenKickOff{p.Exporter, func() {
		if _, err := p.ledger().UpdateRun(t.Context(), id, func(r *ledger.Run) (bool, error) {
			r.Note(w.now, "other", "Somebody else writes the run.")
			return true, nil
		}); err != nil {
			t.Error(err)
		}
	}}
	if r := check(t, p, id); r.Kickoff.StatusURL == "" {
		t.Error("the job that the server has accepted is lost")
	}
	w.now = w.now.Add(time.Hour)
	if check(t, p, id); w.server.kicks != 1 {
		t.Errorf("the server was asked %d times", w.server.kicks)
	}
}

// TestNoManifestAfterDelete: once a DELETE may have been sent, a manifest may be
// partial.
func TestNoManifestAfterDelete(t *testing.T) {
	w := calm(t, patients(1))
	p := w.direct()
	id, _, err := p.Start(t.Context(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	check(t, p, id)
	if _, err := p.ledger().UpdateRun(t.Context(), id, func(r *ledger.Run) (bool, error) {
		r.Kickoff.Deleted = true
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	wantState(t, check(t, p, id), ledger.Failed, "job-deleted")
}

// TestLostMessagesAreSentAgain: a chain whose message is lost is started again,
// and a fetch that is delivered again after its record sends the chain on.
func TestLostMessagesAreSentAgain(t *testing.T) {
	w := calm(t, patients(1), patients(1), patients(1))
	w.plan.Settings.FetchParallel = 1
	p := w.direct()
	p.Plan = w.plan
	q := w.mem.Queue("fetch-file")
	lose := func() (lost []string) {
		for _, m := range q.Messages() {
			lost = append(lost, string(m.Body))
			q.Delete(m)
		}
		return lost
	}
	r := fetchingRun(t, w, p)
	check(t, p, r.ID)
	first := lose()
	if len(first) != 1 {
		t.Fatalf("the chain was started by %v", first)
	}
	w.now = w.now.Add(r.Settings.RedriveAfter + time.Minute)
	check(t, p, r.ID)
	if again := lose(); !slices.Equal(again, first) {
		t.Errorf("the chain that stood still was sent %v, want %v", again, first)
	}
	if err := p.Fetch(t.Context(), FetchOutput{Run: r.ID}, false); err != nil {
		t.Fatal(err)
	}
	next := lose()
	if len(next) != 1 || next[0] == first[0] {
		t.Fatalf("the chain went on by %v", next)
	}
	if err := p.Fetch(t.Context(), FetchOutput{Run: r.ID}, true); err != nil {
		t.Fatal(err)
	}
	if again := lose(); !slices.Equal(again, next) {
		t.Errorf("delivered again, the chain was sent %v, want %v", again, next)
	}
}

// TestOrderLeavesAHeartbeat: an operator's process that dies right after its order
// is saved leaves a run that goes on.
func TestOrderLeavesAHeartbeat(t *testing.T) {
	w := calm(t, simOutput{typ: "Patient", data: []byte(patientLine), count: 2})
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Held, "count-mismatch")
	p := w.direct()
	q := &mute{Queue: p.Queues.Check, after: 1}
	p.Queues.Check = q
	if err := p.Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRelease, Reason: "seen"}); err == nil {
		t.Fatal("the order does not say that its last message was not sent")
	}
	w.deliverQueues()
	w.run(w.now.AddDate(0, 0, 1), func() bool { return w.runs()[0].State.Over() })
	wantState(t, w.runs()[0], ledger.Released, "")
}

// mute is a queue that takes so many messages and then no more.
type mute struct {
	storage.Queue
	after int
}

func (q *mute) Send(ctx context.Context, body []byte, delay time.Duration) error {
	if q.after--; q.after < 0 {
		return errFault
	}
	return q.Queue.Send(ctx, body, delay)
}

// swappedAtTheEnd lets somebody write the run when its report is written.
type swappedAtTheEnd struct {
	storage.Container
	during func()
}

func (c *swappedAtTheEnd) Put(ctx context.Context, name string, data []byte, o storage.PutOptions) (storage.ETag, error) {
	if strings.HasSuffix(name, "report.html") {
		once(&c.during)
	}
	return c.Container.Put(ctx, name, data, o)
}

// TestEndThatIsNotSaved: an end whose swap is lost is reached again.
func TestEndThatIsNotSaved(t *testing.T) {
	w := calm(t, patients(1))
	w.server.outputs[0].count = 2 // the run will be held
	p := w.direct()
	r := fetchingRun(t, w, p)
	if err := p.Fetch(t.Context(), FetchOutput{Run: r.ID, Try: countTries}, false); err != nil {
		t.Fatal(err)
	}
	for info := range p.Stores.Raw.List(t.Context(), r.ID+"/Patient") {
		if err := p.Anonymize(t.Context(), info.Name); err != nil {
			t.Fatal(err)
		}
	}
	q := w.mem.Queue("check-export")
	for _, m := range q.Messages() {
		q.Delete(m)
	}
	plain := p.Stores.Ledger
	p.Stores.Ledger = &swappedAtTheEnd{plain, func() {
		if _, err := ledger.New(plain).UpdateRun(t.Context(), r.ID, func(r *ledger.Run) (bool, error) {
			r.Note(w.now, "other", "Somebody else writes the run.")
			return true, nil
		}); err != nil {
			t.Error(err)
		}
	}}
	if r = check(t, p, r.ID); r.State.Over() || len(q.Messages()) == 0 {
		t.Fatalf("the run is %s with %d heartbeats", r.State, len(q.Messages()))
	}
	wantState(t, check(t, p, r.ID), ledger.Held, "count-mismatch")
}

// slowly is a container whose every deletion takes a while.
type slowly struct {
	storage.Container
	w *world
}

func (c slowly) Delete(ctx context.Context, name string) error {
	c.w.now = c.w.now.Add(cleanupTime / 2)
	return c.Container.Delete(ctx, name)
}

// TestCleanupTakesItsTicks: deleting what a large run leaves behind does not take
// one invocation beyond its limit.
func TestCleanupTakesItsTicks(t *testing.T) {
	w := calm(t, patients(40))
	p := w.direct()
	r := fetchingRun(t, w, p)
	if err := p.Fetch(t.Context(), FetchOutput{Run: r.ID}, false); err != nil {
		t.Fatal(err)
	}
	for info := range p.Stores.Raw.List(t.Context(), r.ID+"/Patient") {
		if err := p.Anonymize(t.Context(), info.Name); err != nil {
			t.Fatal(err)
		}
	}
	p.Stores.Raw = slowly{p.Stores.Raw, w}
	ticks := 0
	for ; !r.State.Over() && ticks < 100; ticks++ {
		began := w.now
		r = check(t, p, r.ID)
		if took := w.now.Sub(began); took > 2*cleanupTime {
			t.Fatalf("a tick took %s", took)
		}
	}
	wantState(t, r, ledger.Released, "")
	if left := len(contents(t, w, "raw")) + len(contents(t, w, "staging")); left > 0 || ticks < 5 {
		t.Errorf("%d blobs are left after %d ticks", left, ticks)
	}
}
