package pipeline

// The simulation runs the whole pipeline on in-memory storage with a virtual
// clock. One task runs at a time; at every call to the storage, a queue or the
// server it may be made to wait while others run, to fail before or after the
// call took effect, or to die. All choices come from one seed, so a failing
// seed replays:
//
//	go test ./internal/pipeline -run TestSimulation -sim.seed=N -v

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// world is one simulated installation and what happens to it.
type world struct {
	seed   uint64
	rng    *rand.Rand
	now    time.Time
	faults faults
	calm   time.Time // from here on nothing goes wrong any more
	outage outage

	mem    *storage.Memory
	server *simServer
	engine *Engines
	policy string
	plan   Plan

	agenda  []*event // what is to come, unordered; small
	seq     int
	tasks   []*task
	nextID  int
	history []string
	broken  []string

	rotated   string // of the keys
	poisoned  int
	lostBeats int // heartbeats among them
	expect    expectation
	log       *slog.Logger
}

// faults are probabilities per call, or per message.
type faults struct {
	before, after, death, wait float64
	duplicate, lostEvent       float64
	skew                       time.Duration
}

// outage is a time in which no call to the storage succeeds. Queues are in
// another account.
type outage struct{ from, until time.Time }

func (o outage) on(at time.Time) bool { return !at.Before(o.from) && at.Before(o.until) }

// event is something that happens at an instant.
type event struct {
	at   time.Time
	seq  int
	what string // "check-export", "timer", …
	do   func()
}

func (w *world) at(t time.Time, what string, do func()) {
	w.seq++
	w.agenda = append(w.agenda, &event{t, w.seq, what, do})
}

func (w *world) say(format string, args ...any) {
	w.history = append(w.history, w.now.Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (w *world) breaks(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.broken = append(w.broken, text)
	w.say("BROKEN: %s", text)
}

func (w *world) chance(p float64) bool {
	return p > 0 && w.now.Before(w.calm) && w.rng.Float64() < p
}

// task is one invocation under way.
type task struct {
	w      *world
	name   string
	resume chan struct{}
	parked chan bool // true: finished
	dead   bool
	skew   time.Duration
	done   func(err error, died bool)
	err    error
	asleep bool
}

// begin starts an invocation; it runs when the scheduler picks it.
func (w *world) begin(name string, run func(p *Pipeline, ctx context.Context) error, done func(err error, died bool)) {
	w.nextID++
	t := &task{w: w, name: fmt.Sprintf("%s#%d", name, w.nextID), resume: make(chan struct{}), parked: make(chan bool), done: done}
	if w.faults.skew > 0 {
		t.skew = time.Duration(w.rng.Int64N(int64(2*w.faults.skew))) - w.faults.skew
	}
	w.tasks = append(w.tasks, t)
	p := w.pipeline(t)
	go func() {
		<-t.resume
		t.err = run(p, context.Background())
		t.parked <- true
	}()
}

// call is what every call of a task to the outside goes through.
func (t *task) call(what string, effect func() error) error {
	return t.callIf(what, false, effect)
}

// callIf is call for a write with a condition.
func (t *task) callIf(what string, conditional bool, effect func() error) error {
	if t.dead {
		return errDead
	}
	w := t.w
	t.parked <- false
	<-t.resume
	switch {
	case w.outage.on(w.now) && !strings.HasPrefix(what, "send ") && !strings.HasPrefix(what, "server: "):
		w.say("%s: %s fails, as all do now", t.name, what)
		return errFault
	case w.chance(w.faults.death):
		t.dead = true
		if w.rng.IntN(2) == 0 {
			_ = effect()
			w.say("%s dies after %s", t.name, what)
		} else {
			w.say("%s dies before %s", t.name, what)
		}
		return errDead
	case w.chance(w.faults.before):
		w.say("%s: %s fails", t.name, what)
		return errFault
	}
	err := effect()
	w.say("%s: %s = %v", t.name, what, brief(err))
	if err == nil && w.chance(w.faults.after) {
		w.say("%s: the answer to %s is lost", t.name, what)
		if conditional && w.rng.IntN(2) == 0 {
			// The client has sent it again by itself, and met its own write.
			return storage.ErrCondition
		}
		return errFault
	}
	return err
}

var (
	errDead  = errors.New("this process is dead")
	errFault = errors.New("a simulated passing fault")
)

func brief(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

// run goes on until nothing is to come or the horizon is reached.
func (w *world) run(horizon time.Time, over func() bool) {
	for {
		if len(w.tasks) > 0 {
			if w.stepTask() {
				continue
			}
		}
		w.checkQuiet()
		if len(w.tasks) == 0 && over() {
			return
		}
		if len(w.agenda) == 0 {
			return
		}
		sort.Slice(w.agenda, func(i, j int) bool {
			a, b := w.agenda[i], w.agenda[j]
			return a.at.Before(b.at) || a.at.Equal(b.at) && a.seq < b.seq
		})
		next := w.agenda[0]
		w.agenda = w.agenda[1:]
		if next.at.After(horizon) {
			return
		}
		if next.at.After(w.now) {
			w.now = next.at
		}
		next.do()
	}
}

// stepTask lets one task that is awake go on to its next call. It returns false
// when all are asleep.
func (w *world) stepTask() bool {
	var awake []*task
	for _, t := range w.tasks {
		if !t.asleep {
			awake = append(awake, t)
		}
	}
	if len(awake) == 0 {
		return false
	}
	t := awake[w.rng.IntN(len(awake))]
	if w.chance(w.faults.wait) {
		t.asleep = true
		pause := time.Duration(w.rng.ExpFloat64() * float64(20*time.Second))
		if w.rng.IntN(20) == 0 {
			pause = time.Duration(w.rng.IntN(180)) * time.Minute
		}
		w.at(w.now.Add(pause), "wake", func() { t.asleep = false })
		return true
	}
	w.now = w.now.Add(time.Duration(1+w.rng.IntN(20)) * time.Millisecond)
	t.resume <- struct{}{}
	if finished := <-t.parked; finished {
		for i := range w.tasks {
			if w.tasks[i] == t {
				w.tasks = append(w.tasks[:i], w.tasks[i+1:]...)
				break
			}
		}
		w.say("%s ends: %s%s", t.name, brief(t.err), map[bool]string{true: " (dead)"}[t.dead])
		t.done(t.err, t.dead)
	}
	return true
}

// pipeline makes a pipeline whose every call goes through the task.
func (w *world) pipeline(t *task) *Pipeline {
	log := w.log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := func(name string) storage.Container { return &simContainer{Container: w.mem.Container(name), t: t} }
	return &Pipeline{
		Stores: Stores{
			Raw: c("raw"), Quarantine: c("quarantine"), Ledger: c("ledger"), Policy: c("policy"),
			Staging: c("staging"), Research: c("research"), Catalog: c("catalog"),
		},
		Queues: Queues{
			Check: &simQueue{"check-export", t}, Fetch: &simQueue{"fetch-file", t}, Retry: &simQueue{"anonymize-retry", t},
		},
		Exporter: &simExporter{t: t, s: w.server},
		Keys:     simKeys{w.rotated},
		Engines:  w.engine,
		Plan:     w.plan,
		Now:      func() time.Time { return w.now.Add(t.skew) },
		Random: func(p []byte) {
			for i := range p {
				p[i] = byte(w.rng.Uint32())
			}
		},
		Log:     log,
		Version: "simulation",
		Workers: 1,
	}
}

// simKeys has a key of each name; rotated is part of its value.
type simKeys struct{ rotated string }

func (k simKeys) Get(_ context.Context, name, _ string) (keys.Secret, error) {
	return keys.Secret{Name: name, Version: "1" + k.rotated, Value: []byte("a simulated key of good length " + name + k.rotated)}, nil
}

// simQueue delivers messages as the host does: again after a failure, to the
// poison queue after five, now and then twice.
type simQueue struct {
	name string
	t    *task
}

func (q *simQueue) Name() string { return q.name }

func (q *simQueue) Send(_ context.Context, body []byte, delay time.Duration) error {
	w := q.t.w
	body = append([]byte(nil), body...)
	return q.t.call(fmt.Sprintf("send %s %s in %s", q.name, body, delay.Round(time.Millisecond)), func() error {
		w.deliver(q.name, body, w.now.Add(delay), 1)
		if w.chance(w.faults.duplicate) {
			w.say("the message %s is doubled", body)
			w.deliver(q.name, body, w.now.Add(delay+time.Duration(w.rng.IntN(60))*time.Second), 1)
		}
		return nil
	})
}

const (
	maxDequeue      = 5
	visibilityAfter = 30 * time.Second
)

func (w *world) deliver(queue string, body []byte, at time.Time, count int) {
	w.at(at, queue, func() {
		finished := false
		done := func(err error, died bool) {
			if finished {
				return
			}
			finished = true
			switch {
			case err == nil && !died:
			case count >= maxDequeue:
				w.poisoned++
				if queue == "check-export" {
					w.lostBeats++
				}
				w.say("poison: %s %s", queue, body)
			case died:
				w.deliver(queue, body, w.now.Add(time.Duration(1+w.rng.IntN(600))*time.Second), count+1)
			default:
				w.deliver(queue, body, w.now.Add(visibilityAfter), count+1)
			}
		}
		w.begin(queue, func(p *Pipeline, ctx context.Context) error {
			switch queue {
			case "check-export":
				m, err := DecodeTick(body)
				if err != nil {
					return err
				}
				return p.Check(ctx, m)
			case "fetch-file":
				m, err := DecodeFetchOutput(body)
				if err != nil {
					return err
				}
				return p.Fetch(ctx, m, count > 1)
			default:
				m, err := DecodeRetryFile(body)
				if err != nil {
					return err
				}
				return p.Anonymize(ctx, m.File)
			}
		}, done)
	})
}

// blobEvent delivers the event of a raw blob: late, twice, or not at all, and
// at once again after a failure, five times.
func (w *world) blobEvent(name string) {
	if w.chance(w.faults.lostEvent) {
		w.say("the event of %s is lost", name)
		return
	}
	times := 1
	if w.chance(w.faults.duplicate) {
		times = 2
	}
	for range times {
		w.at(w.now.Add(time.Duration(w.rng.ExpFloat64()*float64(10*time.Second))), "blob", func() { w.anonymize(name, 1) })
	}
}

func (w *world) anonymize(name string, attempt int) {
	w.begin("blob", func(p *Pipeline, ctx context.Context) error { return p.Anonymize(ctx, name) },
		func(err error, died bool) {
			if (err != nil || died) && attempt < maxDequeue {
				w.at(w.now.Add(100*time.Millisecond), "blob", func() { w.anonymize(name, attempt+1) })
			}
		})
}

// night fires the timer, again as its retry policy does when it fails.
func (w *world) night(at time.Time, attempt int) {
	w.at(at.Add(time.Duration(attempt)*5*time.Minute), "timer", func() {
		w.begin("timer", func(p *Pipeline, ctx context.Context) error {
			_, _, err := p.Start(ctx, at)
			return err
		}, func(err error, died bool) {
			w.checkOneAtATime()
			if (err != nil || died) && attempt < 3 {
				w.night(at, attempt+1)
			}
		})
	})
}

// simContainer passes calls on through the task.
type simContainer struct {
	storage.Container
	t *task
}

func (c *simContainer) Get(ctx context.Context, name string) (data []byte, info storage.Info, err error) {
	err = c.t.call("get "+c.Name()+" "+name, func() (err error) { data, info, err = c.Container.Get(ctx, name); return })
	return
}

func (c *simContainer) Head(ctx context.Context, name string) (info storage.Info, err error) {
	err = c.t.call("head "+c.Name()+" "+name, func() (err error) { info, err = c.Container.Head(ctx, name); return })
	return
}

func (c *simContainer) Open(ctx context.Context, name string, match storage.ETag) (r io.ReadCloser, info storage.Info, err error) {
	err = c.t.call("open "+c.Name()+" "+name, func() (err error) { r, info, err = c.Container.Open(ctx, name, match); return })
	return
}

func (c *simContainer) Put(ctx context.Context, name string, data []byte, o storage.PutOptions) (etag storage.ETag, err error) {
	err = c.t.callIf("put "+c.Name()+" "+name, o.If != storage.Condition{}, func() (err error) {
		etag, err = c.Container.Put(ctx, name, data, o)
		if err == nil {
			c.t.w.written(c.Name(), name)
		}
		return
	})
	return
}

func (c *simContainer) Create(ctx context.Context, name string) (storage.Writer, error) {
	if c.t.dead {
		return nil, errDead
	}
	inner, err := c.Container.Create(ctx, name)
	return &simWriter{Writer: inner, c: c, name: name}, err
}

func (c *simContainer) Copy(ctx context.Context, src storage.Container, srcName string, match storage.ETag, name string, o storage.PutOptions) (etag storage.ETag, err error) {
	err = c.t.callIf("copy "+srcName+" to "+name, o.If != storage.Condition{}, func() (err error) {
		etag, err = c.Container.Copy(ctx, src.(*simContainer).Container, srcName, match, name, o)
		if err == nil {
			c.t.w.written(c.Name(), name)
		}
		return
	})
	return
}

func (c *simContainer) Delete(ctx context.Context, name string) error {
	return c.t.call("delete "+c.Name()+" "+name, func() error { return c.Container.Delete(ctx, name) })
}

func (c *simContainer) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		var all []storage.Info
		err := c.t.call("list "+c.Name()+" "+prefix, func() error {
			for info, err := range c.Container.List(ctx, prefix) {
				if err != nil {
					return err
				}
				all = append(all, info)
			}
			return nil
		})
		if err != nil {
			yield(storage.Info{}, err)
			return
		}
		for _, info := range all {
			if !yield(info, nil) {
				return
			}
		}
	}
}

type simWriter struct {
	storage.Writer
	c    *simContainer
	name string
}

func (s *simWriter) Commit(ctx context.Context, o storage.PutOptions) (etag storage.ETag, err error) {
	err = s.c.t.callIf("commit "+s.c.Name()+" "+s.name, o.If != storage.Condition{}, func() (err error) {
		etag, err = s.Writer.Commit(ctx, o)
		if err == nil {
			s.c.t.w.written(s.c.Name(), s.name)
		}
		return
	})
	return
}

// written is called after every write that took effect.
func (w *world) written(container, name string) {
	switch container {
	case "raw":
		if _, ok := parseRawFile(name); ok {
			w.blobEvent(name)
		}
	case "research":
		w.checkResearch(name)
	}
}

// checkResearch: research never holds a byte that is not expected, and a
// manifest only when everything it names is there.
func (w *world) checkResearch(name string) {
	ctx := context.Background()
	data, _, err := w.mem.Container("research").Get(ctx, name)
	if err != nil {
		w.breaks("research has no %s after it was written", name)
		return
	}
	if !strings.HasSuffix(name, "/manifest.json") {
		for line := range strings.Lines(string(data)) {
			if !w.expect.good[line] {
				w.breaks("research holds a line in %s that is not expected", name)
				return
			}
		}
		return
	}
	var m ReleaseManifest
	if json.Unmarshal(data, &m) != nil {
		w.breaks("the release's manifest cannot be read")
		return
	}
	dir := strings.TrimSuffix(name, "manifest.json")
	for _, o := range m.Output {
		if _, err := w.mem.Container("research").Head(ctx, dir+o.URL); err != nil {
			w.breaks("the manifest names %s, which is not there", o.URL)
		}
	}
}

func (w *world) runs() []*ledger.Run {
	var runs []*ledger.Run
	l := ledger.New(w.mem.Container("ledger"))
	for info := range w.mem.Container("ledger").List(context.Background(), "runs/") {
		if id, ok := strings.CutSuffix(strings.TrimPrefix(info.Name, "runs/"), "/run.json"); ok {
			if r, _, err := l.Run(context.Background(), id); err == nil {
				runs = append(runs, r)
			}
		}
	}
	return runs
}

// checkOneAtATime: two runs never share the scope.
func (w *world) checkOneAtATime() {
	live := 0
	for _, r := range w.runs() {
		if !r.State.Over() {
			live++
		}
	}
	if live > 1 {
		w.breaks("%d runs are under way in one scope", live)
	}
}

// checkQuiet: every run that is not over has a live heartbeat: a message that
// is to come. One that was poisoned is mended by the next night; one that died
// with a starter, by the timer's retry.
func (w *world) checkQuiet() {
	if len(w.tasks) > 0 || w.poisoned > 0 {
		return
	}
	for _, e := range w.agenda {
		if e.what == "check-export" || e.what == "timer" && e.at.Sub(w.now) < 15*time.Minute {
			return
		}
	}
	for _, r := range w.runs() {
		if !r.State.Over() {
			w.breaks("run %s is %s and has no heartbeat", r.ID, r.State)
		}
	}
}
