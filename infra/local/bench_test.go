package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fhirdeid/internal/azurite"
	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/synth"
)

const (
	benchBytes    = 500 << 20
	benchOutputs  = 16
	benchParallel = 8
)

// BenchmarkNight takes 500 MB of NDJSON through a whole run against Azurite, from
// the first fetch to the release; waits for the host's polling and for ticks are
// not in it. The reference is three plain uploads and two plain downloads of the
// same bytes, through the same Azurite, with the same concurrency.
func BenchmarkNight(b *testing.B) {
	server, err := azurite.Start(b.Context(), azurite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Stop()
	account, err := storage.OpenAccount(storage.Connection{Name: "Bench", ConnectionString: server.ConnectionString()})
	if err != nil {
		b.Fatal(err)
	}
	if err := account.EnsureContainers(b.Context(), append(append([]string{"bench"}, installation.RawContainers...), installation.LakeContainers...)...); err != nil {
		b.Fatal(err)
	}
	output := benchData(benchBytes / benchOutputs)
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(len(output) * benchOutputs))
		for b.Loop() {
			reference(b, account.Container("bench"), output)
		}
	})
	for _, policy := range []string{"safe-harbor", "plain.json"} {
		b.Run(policy, func(b *testing.B) {
			b.SetBytes(int64(len(output) * benchOutputs))
			for b.Loop() {
				b.StopTimer()
				n := newBenchNight(b, account, policy, output)
				b.StartTimer()
				n.run(b)
			}
		})
	}
}

// benchData is so many bytes of patients' records.
func benchData(size int) []byte {
	h := synth.New(synth.Config{Seed: 9, Patients: size / 20000})
	var data []byte
	for _, typ := range []string{"Observation", "Encounter", "Claim", "Condition", "Patient", "Procedure", "MedicationRequest", "ExplanationOfBenefit"} {
		for line := range h.Resources(typ, nil) {
			data = append(append(data, line...), '\n')
		}
	}
	return data
}

func reference(b *testing.B, c storage.Container, output []byte) {
	pass := func(each func(ctx context.Context, name string) error) {
		g, ctx := errgroup.WithContext(b.Context())
		g.SetLimit(benchParallel)
		for i := range benchOutputs {
			g.Go(func() error { return each(ctx, fmt.Sprint(i)) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	for range 3 {
		pass(func(ctx context.Context, name string) error {
			w, err := c.Create(ctx, name)
			if err != nil {
				return err
			}
			if _, err := w.Write(output); err != nil {
				return err
			}
			_, err = w.Commit(ctx, storage.PutOptions{})
			return err
		})
	}
	for range 2 {
		pass(func(ctx context.Context, name string) error {
			r, _, err := c.Open(ctx, name, "")
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(io.Discard, r)
			return err
		})
	}
}

// benchNight is a run whose messages are answered at once.
type benchNight struct {
	p   *pipeline.Pipeline
	id  string
	now time.Time

	mu      sync.Mutex
	fetches []pipeline.FetchOutput
	output  []byte
}

func newBenchNight(b *testing.B, account *storage.Account, policy string, output []byte) *benchNight {
	b.Helper()
	c := account.Container
	plain := `{"fhirVersion":"R4","fhirPathRules":[{"path":"Resource.id","method":"cryptoHash"},{"path":"nodesByType('Reference').reference","method":"cryptoHash"},
		{"path":"nodesByType('HumanName')","method":"redact"}],"parameters":{"cryptoHashKey":"a key of good length for tests"}}`
	if _, err := c("policy").Put(b.Context(), "plain.json", []byte(plain), storage.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	n := &benchNight{now: time.Now().Add(time.Duration(rand.IntN(1e6)) * time.Hour), output: output}
	n.p = &pipeline.Pipeline{
		Stores: pipeline.Stores{Raw: c("raw"), Quarantine: c("quarantine"), Ledger: c("ledger"), Policy: c("policy"),
			Staging: c("staging"), Research: c("research"), Catalog: c("catalog")},
		Queues:   pipeline.Queues{Check: benchQueue{n, false}, Fetch: benchQueue{n, true}, Retry: benchQueue{n, false}},
		Exporter: benchExporter{n}, Engines: new(pipeline.Engines),
		Keys: keys.Environment(func(string) (string, bool) { return "a key of good length for tests", true }),
		Plan: pipeline.Plan{Server: "https://fhir.example", Request: bulkdata.Request{Level: bulkdata.LevelSystem}, DataSet: "bench", Policy: policy,
			RunDeadline: time.Hour, FirstRunDeadline: time.Hour,
			Settings: ledger.Settings{PollInterval: time.Second, PollIntervalMax: time.Second, TickInterval: time.Second, RedriveAfter: time.Hour,
				StallDeadline: time.Hour, FileBytes: 64 << 20, FetchParallel: benchParallel}},
		Now: func() time.Time { return n.now }, Random: func(p []byte) {
			for i := range p {
				p[i] = byte(rand.Uint32())
			}
		},
		Log: slog.New(slog.DiscardHandler), Workers: 1, CopyParallel: benchParallel,
	}
	var err error
	if n.id, _, err = n.p.Start(b.Context(), n.now); err != nil {
		b.Fatal(err)
	}
	n.tick(b, ledger.Fetching)
	return n
}

// tick beats the heart until the run is in a state.
func (n *benchNight) tick(b *testing.B, until ledger.State) *ledger.Run {
	for {
		r, _, err := ledger.New(n.p.Stores.Ledger).Run(b.Context(), n.id)
		if err != nil {
			b.Fatal(err)
		}
		if r.State == until {
			return r
		}
		if r.State.Over() {
			b.Fatalf("the run is %s: %v", r.State, r.Reasons)
		}
		n.now = n.now.Add(5 * time.Second)
		if err := n.p.Check(b.Context(), pipeline.Tick{Run: n.id, Tick: r.Tick}); err != nil {
			b.Fatal(err)
		}
	}
}

// run fetches and de-identifies, files beside fetches, and releases.
func (n *benchNight) run(b *testing.B) {
	ctx := b.Context()
	r, _, err := ledger.New(n.p.Stores.Ledger).Run(ctx, n.id)
	if err != nil {
		b.Fatal(err)
	}
	if err := n.p.Check(ctx, pipeline.Tick{Run: n.id, Tick: r.Tick}); err != nil { // starts the chains
		b.Fatal(err)
	}
	var g errgroup.Group
	g.SetLimit(benchParallel)
	for {
		n.mu.Lock()
		todo := n.fetches
		n.fetches = nil
		n.mu.Unlock()
		if len(todo) == 0 {
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
			n.mu.Lock()
			done := len(n.fetches) == 0
			n.mu.Unlock()
			if done {
				break
			}
			continue
		}
		for _, m := range todo {
			g.Go(func() error {
				if err := n.p.Fetch(ctx, m, false); err != nil {
					return err
				}
				for info, err := range n.p.Stores.Raw.List(ctx, n.id+"/") {
					if err != nil {
						return err
					}
					if strings.Contains(info.Name, fmt.Sprintf(".%06d.", m.Output)) {
						if err := n.p.Anonymize(ctx, info.Name); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
	}
	n.tick(b, ledger.Released)
}

type benchQueue struct {
	n     *benchNight
	fetch bool
}

func (benchQueue) Name() string { return "bench" }

func (q benchQueue) Send(_ context.Context, body []byte, _ time.Duration) error {
	if !q.fetch {
		return nil
	}
	m, err := pipeline.DecodeFetchOutput(body)
	q.n.mu.Lock()
	q.n.fetches = append(q.n.fetches, m)
	q.n.mu.Unlock()
	return err
}

type benchExporter struct{ n *benchNight }

func (benchExporter) KickOff(context.Context, bulkdata.Request) (bulkdata.Accepted, error) {
	return bulkdata.Accepted{StatusURL: "https://fhir.example/status"}, nil
}

func (e benchExporter) Status(context.Context, string) (bulkdata.Status, error) {
	m := &bulkdata.Manifest{TransactionTime: e.n.now}
	for i := range benchOutputs {
		m.Output = append(m.Output, bulkdata.Output{Type: "Observation", URL: fmt.Sprintf("https://fhir.example/%d", i)})
	}
	return bulkdata.Status{Done: true, Manifest: m}, nil
}

func (e benchExporter) Open(context.Context, bulkdata.File) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(e.n.output)), nil
}

func (benchExporter) Cancel(context.Context, string) error { return nil }
