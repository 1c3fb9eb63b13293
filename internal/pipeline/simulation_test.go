package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

var (
	simSeed  = flag.Int64("sim.seed", -1, "run this one seed and print its history")
	simSeeds = flag.Int("sim.seeds", 0, "how many seeds to run; 0 means the default")
)

// raceSeeds is the default number of seeds under the race detector, plainSeeds
// without it.
const (
	raceSeeds  = 1000
	plainSeeds = 10000
)

func TestSimulation(t *testing.T) {
	if *simSeed >= 0 {
		w := newWorld(uint64(*simSeed), newSimEngines())
		w.live()
		t.Log(strings.Join(w.history, "\n"))
		for _, b := range w.broken {
			t.Error(b)
		}
		return
	}
	seeds := *simSeeds
	if seeds == 0 {
		seeds = plainSeeds
		if raceDetector {
			seeds = raceSeeds
		}
		if testing.Short() {
			seeds /= 10
		}
	}
	engines := newSimEngines() // the policies and keys are the same in all seeds
	ends := make(map[string]int)
	var mu sync.Mutex
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= int64(seeds) || t.Failed() {
					return
				}
				w := newWorld(uint64(seed), engines)
				end := w.live()
				mu.Lock()
				ends[end]++
				mu.Unlock()
				if len(w.broken) > 0 {
					t.Errorf("seed %d (replay: -run TestSimulation -sim.seed=%d):\n%s\nhistory:\n%s", seed, seed,
						strings.Join(w.broken, "\n"), strings.Join(tail(w.history, 400), "\n"))
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds ended: %v", seeds, ends)
	if !t.Failed() && seeds >= 100 {
		for _, end := range []string{"released", "held", "failed"} {
			if ends[end] == 0 {
				t.Errorf("no seed ended as %s: the simulation does not reach it", end)
			}
		}
	}
}

func tail(s []string, n int) []string { return s[max(0, len(s)-n):] }

// TestSimulationReplays: the same seed has the same history.
func TestSimulationReplays(t *testing.T) {
	engines := newSimEngines()
	a, b := newWorld(7, engines), newWorld(7, engines)
	a.live()
	b.live()
	if !slices.Equal(a.history, b.history) {
		t.Error("the same seed had two histories")
	}
}

// expectation is what must come out of the world's export.
type expectation struct {
	good map[string]bool   // every de-identified line
	want map[string]string // type → all its lines in order
	// mayRelease is false when a person has to look first.
	mayRelease bool
	// leaks says that a line breaks the claim: no person may release it either.
	leaks bool
	// must is the end that nothing but release may have, or "".
	must ledger.State
}

const simPolicy = `{"fhirVersion":"R4","processingErrors":"raise","fhirPathRules":[
 {"path":"Patient.name","method":"redact"},
 {"path":"Resource.id","method":"cryptoHash"},
 {"path":"nodesByType('Reference').reference","method":"cryptoHash"}],
 "parameters":{"cryptoHashKey":"a simulated key of good length"}}`

// simClaim is a policy with a claim, so that every line is verified.
const simClaim = `{"extends":"safe-harbor","fhirPathRules":[]}`

// simEngines are the engines of all worlds, by what happens to their lines.
type simEngines struct {
	plain *Engines // nothing is claimed
	clean *Engines // a claim that is kept
	leaky *Engines // a claim that a broken engine does not keep
}

func newSimEngines() *simEngines {
	e := &simEngines{plain: new(Engines), clean: new(Engines), leaky: new(Engines)}
	e.leaky.spoil = leak
	return e
}

// leak makes an engine keep the names of patients, as only a broken one would.
func leak(made *engine) {
	rules, err := policy.Parse([]byte(`{"fhirVersion":"R4","mode":"strict","fhirPathRules":[
		{"path":"Resource.id","method":"pseudonym"},{"path":"Patient.name","method":"keep"},{"path":"Patient.gender","method":"keep"},
		{"path":"nodesByType('Reference').reference","method":"pseudonym"},{"path":"nodesByType('code')","method":"code"}]}`))
	if err != nil {
		panic(err)
	}
	made.Engine, err = anonymize.Compile(rules, anonymize.Options{AsOf: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Keys: anonymize.Keys{Pseudonym: []byte("a key of good length for tests")}})
	if err != nil {
		panic(err)
	}
}

func newWorld(seed uint64, engines *simEngines) *world {
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	start := time.Date(2026, 11, 22, 0, 30, 0, 0, time.UTC)
	w := &world{seed: seed, rng: rng, now: start, calm: start.Add(8 * time.Hour), engine: engines.plain, policy: simPolicy}
	switch seed % 8 { // not by chance, so that a test can choose
	case 3:
		w.engine, w.policy = engines.clean, simClaim
	case 5:
		w.engine, w.policy = engines.leaky, simClaim
	}
	w.mem = storage.NewMemory(func() time.Time { return w.now })
	level := []float64{0, 0.002, 0.01, 0.04}[rng.IntN(4)]
	w.faults = faults{
		before: level, after: level, death: level / 2, wait: level * 2,
		duplicate: level * 2, lostEvent: level * 3,
	}
	if level > 0 {
		w.faults.skew = 45 * time.Second
		if rng.IntN(4) == 0 {
			w.outage.from = start.Add(time.Duration(rng.IntN(240)) * time.Minute)
			w.outage.until = w.outage.from.Add(time.Duration(rng.IntN(90)) * time.Minute)
		}
	}
	w.plan = Plan{
		Server:  "https://fhir.example",
		Request: bulkdata.Request{Level: bulkdata.LevelSystem},
		DataSet: "simulation", Policy: "simulation.json", FHIRVersion: "R4",
		AsOf: start, RunDeadline: 20 * time.Hour, FirstRunDeadline: 30 * time.Hour,
		Settings: ledger.Settings{
			PollInterval: 10 * time.Second, PollIntervalMax: 5 * time.Minute, TickInterval: 15 * time.Second,
			RedriveAfter: 15 * time.Minute, StallDeadline: 5 * time.Hour, FileBytes: 600, FetchParallel: 1 + rng.IntN(4),
		},
	}
	w.server = newSimServer(w)
	_, _ = w.mem.Container("policy").Put(context.Background(), "simulation.json", []byte(w.policy), storage.PutOptions{})
	return w
}

// newSimServer makes an export and its whims, and works out what must come of
// it.
func newSimServer(w *world) *simServer {
	rng := w.rng
	s := &simServer{w: w, jobs: make(map[string]*simJob), duration: time.Duration(rng.IntN(40)) * time.Minute, forged: -1}
	w.expect = expectation{good: make(map[string]bool), want: make(map[string]string), mayRelease: true}
	types := []string{"Patient", "Observation", "Condition"}
	for i := range 1 + rng.IntN(6) {
		typ := types[rng.IntN(len(types))]
		var data bytes.Buffer
		lines := rng.IntN(10)
		for j := range lines {
			data.WriteString(simLine(typ, i, j, rng))
		}
		s.outputs = append(s.outputs, simOutput{typ: typ, data: data.Bytes(), count: int64(lines)})
	}
	whim := rng.IntN(24)
	last := &s.outputs[len(s.outputs)-1]
	switch whim {
	case 0:
		last.count++
		w.expect.mayRelease, w.expect.must = false, ledger.Held
	case 1:
		last.data = append(last.data, "{\"resourceType\":\"Patient\",\n"...)
		last.count++
		w.expect.mayRelease, w.expect.must = false, ledger.Held
	case 2:
		s.errors = []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}` + "\n")
		w.expect.mayRelease, w.expect.must = false, ledger.Held
	case 3:
		s.errors = []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}` + "\n")
	case 4:
		s.refuse = &bulkdata.Error{Op: "kick-off", Kind: bulkdata.Denied, Status: 403}
		w.expect.mayRelease, w.expect.must = false, ledger.Failed
	case 5:
		s.fatal = true
		w.expect.mayRelease, w.expect.must = false, ledger.Failed
	case 6:
		s.old = true
		w.expect.mayRelease, w.expect.must = false, ledger.Held
	case 7:
		s.forged = rng.IntN(len(s.outputs))
		w.expect.mayRelease, w.expect.must = false, ledger.Failed
	case 8, 9:
		s.expireEvery = time.Duration(5+rng.IntN(60)) * time.Minute
	case 10:
		w.plan.Settings.MaxQuarantinedLines = 1
		last.data = append(last.data, "not json\n"...)
		last.count++
	}
	return s
}

func simLine(typ string, output, line int, rng *rand.Rand) string {
	id := fmt.Sprintf("%c%d-%d", typ[0], output, line)
	switch typ {
	case "Patient":
		return fmt.Sprintf(`{"resourceType":"Patient","id":"%s","name":[{"family":"Fam%d"}],"gender":"female"}`+"\n", id, rng.IntN(1000))
	case "Observation":
		return fmt.Sprintf(`{"resourceType":"Observation","id":"%s","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/P0-%d"},"valueInteger":%d}`+"\n", id, rng.IntN(9), rng.IntN(100))
	}
	return fmt.Sprintf(`{"resourceType":"Condition","id":"%s","subject":{"reference":"Patient/P0-%d"}}`+"\n", id, rng.IntN(9))
}

// live lets the world go on until all is over, and says how the newest run that
// matters ended.
func (w *world) live() string {
	w.prepareExpectation()
	if w.rng.IntN(12) == 0 {
		w.at(w.now.Add(time.Hour+time.Duration(w.rng.IntN(120))*time.Minute), "operator", w.operatorCancels)
	}
	if w.rng.IntN(3) == 0 {
		kinds := []ledger.OrderKind{ledger.OrderRetry, ledger.OrderRelease, ledger.OrderDiscard}
		kind := kinds[w.rng.IntN(len(kinds))]
		w.at(w.now.Add(time.Duration(60+w.rng.IntN(1200))*time.Minute), "operator", func() { w.operatorDecides(kind) })
	}
	first := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	for night := range 4 {
		w.night(first.AddDate(0, 0, night), 0)
	}
	horizon := first.AddDate(0, 0, 8)
	w.run(horizon, func() bool {
		runs := w.runs()
		if slices.ContainsFunc(w.agenda, func(e *event) bool { return e.what == "operator" || e.what == "check-export" }) {
			return false
		}
		return len(runs) > 0 && !slices.ContainsFunc(runs, func(r *ledger.Run) bool { return !r.State.Over() })
	})
	return w.judge()
}

func (w *world) operatorCancels() {
	w.begin("operator", func(p *Pipeline, ctx context.Context) error {
		return p.Order(ctx, "20261122T010000Z", ledger.Order{Kind: ledger.OrderCancel, Reason: "simulated"})
	}, func(error, bool) {})
}

// operatorDecides orders something of every run that waits for a person.
func (w *world) operatorDecides(kind ledger.OrderKind) {
	for _, r := range w.runs() {
		if r.State == ledger.Held || r.State == ledger.Failed {
			w.begin("operator", func(p *Pipeline, ctx context.Context) error {
				return p.Order(ctx, r.ID, ledger.Order{Kind: kind, Reason: "simulated"})
			}, func(error, bool) { w.checkOneAtATime() })
		}
	}
}

// prepareExpectation de-identifies every line by itself.
func (w *world) prepareExpectation() {
	p := w.pipeline(&task{w: w})
	run := &ledger.Run{AsOf: w.plan.AsOf, DataSet: w.plan.DataSet, FHIRVersion: "R4"}
	rules, err := p.parsePolicy("simulation.json", []byte(w.policy))
	if err != nil {
		panic(err)
	}
	run.Policy.Hash, run.Policy.Claim, run.Policy.Name = rules.Hash(), string(rules.Claim), "simulation.json"
	run.Server = w.plan.Server
	if err := p.pinKeys(context.Background(), run, rules); err != nil {
		panic(err)
	}
	made := w.engine.find(engineKey(run))
	if made == nil {
		if made, err = p.makeEngine(context.Background(), run, rules); err != nil {
			panic(err)
		}
		if w.engine.spoil != nil {
			w.engine.spoil(made)
		}
		w.engine.keep(engineKey(run), made)
	}
	watch := &watch{checker: made.checker}
	for _, o := range w.server.outputs {
		for line := range bytes.Lines(o.data) {
			out, err := made.Resource(nil, bytes.TrimSuffix(line, []byte{'\n'}))
			if err != nil {
				continue
			}
			if watch.verify(0, line, out) != nil { // nobody may release this
				w.expect.mayRelease, w.expect.leaks = false, true
				continue
			}
			text := string(out) + "\n"
			w.expect.good[text] = true
			w.expect.want[o.typ] += text
		}
	}
}

// judge: the run is released with exactly the right bytes, or held or failed
// with a reason; never both, never neither.
func (w *world) judge() string {
	runs := w.runs()
	if len(runs) == 0 {
		w.breaks("there is no run after all these nights")
		return "none"
	}
	for _, r := range runs {
		if !r.State.Over() {
			w.breaks("run %s is still %s", r.ID, r.State)
			continue
		}
		released := w.releasedBytes(r)
		if (r.State == ledger.Released) != (released != nil) {
			w.breaks("run %s is %s, yet a manifest in research: %v", r.ID, r.State, released != nil)
		}
		_, overruled := r.Ordered(ledger.OrderRelease)
		if r.State == ledger.Released && !w.expect.mayRelease && !overruled {
			w.breaks("run %s was released though a person had to look", r.ID)
		}
		if r.State == ledger.Released && w.expect.leaks {
			w.breaks("run %s was released though a line breaks the claim", r.ID)
		}
		if r.State != ledger.Released && len(r.Reasons) == 0 {
			w.breaks("run %s is %s without a reason", r.ID, r.State)
		}
		if released != nil {
			for typ, want := range w.expect.want {
				if released[typ] != want {
					w.breaks("run %s released other bytes of %s than expected", r.ID, typ)
				}
			}
		}
		if must := w.expect.must; must != "" && r.State != must && r.State != ledger.Cancelled && !overruled && w.faults.before == 0 {
			w.breaks("run %s is %s, want %s: %v", r.ID, r.State, must, r.Reasons)
		}
		if w.expect.mayRelease && w.faults.before == 0 && r.State != ledger.Released && r.State != ledger.Cancelled {
			w.breaks("run %s is %s though nothing went wrong: %v", r.ID, r.State, r.Reasons)
		}
	}
	return string(runs[0].State)
}

// releasedBytes reads what the release's manifest names, or nil without one.
func (w *world) releasedBytes(r *ledger.Run) map[string]string {
	ctx := context.Background()
	research := w.mem.Container("research")
	data, _, err := research.Get(ctx, r.ID+"/manifest.json")
	if err != nil {
		return nil
	}
	var m ReleaseManifest
	if json.Unmarshal(data, &m) != nil {
		w.breaks("the manifest of %s cannot be read", r.ID)
		return nil
	}
	released := make(map[string]string)
	for _, o := range m.Output {
		content, _, err := research.Get(ctx, r.ID+"/"+o.URL)
		if err != nil {
			w.breaks("the release %s lacks %s", r.ID, o.URL)
		}
		released[o.Type] += string(content)
	}
	return released
}
